/** Files between the page and the person's own folders, as browsers do it. */

/** The browser asks the person where to, or saves where they said once. */
export function download(file: Blob, name: string): void {
  const address = URL.createObjectURL(file)
  const link = Object.assign(document.createElement('a'), { href: address, download: name })
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}

/** The name that the program gave a file. */
export function fileName(disposition: string): string {
  const escaped = /filename\*=UTF-8''([^;]+)/.exec(disposition)?.[1]
  return escaped ? decodeURIComponent(escaped) : 'jishi'
}

/** Never answers if the person changes their mind: old browsers do not tell. */
export function chosen(accept: string): Promise<File> {
  return new Promise(choose => {
    const input = Object.assign(document.createElement('input'), { type: 'file', accept })
    input.addEventListener('change', () => {
      const file = input.files?.[0]
      if (file) choose(file)
    })
    input.click()
  })
}
