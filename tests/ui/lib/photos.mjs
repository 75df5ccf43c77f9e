// Pictures as phones take them, drawn in the page and given a camera's notes; and the ways in which a person brings
// files to a page.

/** The seconds of the place in every picture's notes: a number that does not occur by chance. */
export const PLACE = Buffer.from([0x5a, 0x17, 0xc0, 0xde])

/** A JPEG of a meeting room in a colour of its own, `width` × `height`; spots make it as large as one of a camera. */
export async function picture(page, { width = 1600, height = 1200, hue = 0, text = '', spots = 0 } = {}) {
  const base64 = await page.evaluate(draw, { width, height, hue, text, spots })
  return Buffer.from(base64, 'base64')
}

// Runs in the page.
function draw({ width, height, hue, text, spots }) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height })
  const pen = canvas.getContext('2d')
  const fill = (colour, ...box) => ((pen.fillStyle = colour), pen.fillRect(...box))
  fill(`hsl(${hue} 30% 88%)`, 0, 0, width, height)
  fill(`hsl(${hue} 25% 55%)`, 0, height * 0.72, width, height * 0.28)
  fill('#b3121d', width * 0.2, height * 0.08, width * 0.6, height * 0.14)
  pen.fillStyle = '#fff'
  pen.font = `${height * 0.07}px sans-serif`
  pen.textAlign = 'center'
  pen.fillText(text, width / 2, height * 0.175)
  for (let at = 0; at < 6; at += 1) {
    pen.fillStyle = `hsl(${(hue + at * 40) % 360} 35% 35%)`
    const x = width * (0.12 + at * 0.152)
    pen.beginPath()
    pen.arc(x, height * 0.5, height * 0.055, 0, 7)
    pen.fill()
    pen.fillRect(x - height * 0.08, height * 0.57, height * 0.16, height * 0.25)
  }
  let dice = 1
  const roll = (below) => ((dice = (Math.imul(dice, 1664525) + 1013904223) >>> 0) / 2 ** 32) * below
  for (let at = 0; at < spots; at += 1) fill(`hsl(${roll(360)} 40% 60% / 0.4)`, roll(width), roll(height), 7, 7)
  return canvas.toDataURL('image/jpeg', 0.9).split(',')[1]
}

/** The same with a camera's notes in front: how it was held, when (`2026:10:13 14:05:00`) and where. */
export function fromCamera(jpeg, { orientation = 1, taken }) {
  const notes = Buffer.concat([
    Buffer.from('MM\0*\0\0\0\x08', 'latin1'),
    directory(entry(0x0112, 3, 1, orientation << 16), entry(0x8769, 4, 1, 50), entry(0x8825, 4, 1, 68)),
    directory(entry(0x9003, 2, 20, 86)),
    directory(entry(0x0002, 5, 3, 106)),
    Buffer.from(`${taken}\0`, 'latin1'),
    numbers(36, 1, 11, 1),
    PLACE,
    numbers(100),
  ])
  const length = Buffer.alloc(2)
  length.writeUInt16BE(notes.length + 8)
  return Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xe1]), length, Buffer.from('Exif\0\0', 'latin1'), notes, jpeg.subarray(2)])
}

function entry(tag, kind, count, value) {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt16BE(tag, 0)
  bytes.writeUInt16BE(kind, 2)
  bytes.writeUInt32BE(count, 4)
  bytes.writeUInt32BE(value, 8)
  return bytes
}

function directory(...entries) {
  return Buffer.concat([Buffer.from([0, entries.length]), ...entries, Buffer.alloc(4)])
}

function numbers(...all) {
  return Buffer.concat(all.map((number) => Buffer.from([number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255])))
}

/** Chooses files by the button. */
export async function byButton(page, ...files) {
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: '选择文件', exact: true }).click()
  await (await chooser).setFiles(files.map(({ name, type = 'image/jpeg', bytes }) => ({ name, mimeType: type, buffer: bytes })))
}

/** Pastes a file as a chat program leaves it on the clipboard; with `text`, as a word processor does. */
export const byPaste = (page, file) => page.evaluate(arrive, { ...carried(file), how: 'paste' })

/** Drops a file on the page. */
export const byDrop = (page, file) => page.evaluate(arrive, { ...carried(file), how: 'drop' })

const carried = ({ name, type = 'image/jpeg', bytes, text = '' }) => ({ name, type, text, base64: bytes.toString('base64') })

// Runs in the page.
function arrive({ name, type, text, base64, how }) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
  const data = new DataTransfer()
  data.items.add(new File([bytes], name, { type }))
  if (text) data.setData('text/plain', text)
  const common = { bubbles: true, cancelable: true }
  if (how === 'paste') {
    document.body.dispatchEvent(new ClipboardEvent('paste', { ...common, clipboardData: data }))
  } else {
    for (const step of ['dragover', 'drop']) document.body.dispatchEvent(new DragEvent(step, { ...common, dataTransfer: data }))
  }
}
