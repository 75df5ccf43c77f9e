/** An exchange that runs, 流量节省, the question before many records are lost, and the city's receipts. */
export const reportingWords = {
  running: {
    byPerson: '正在上报',
    byItself: '正在自动上报',
    stopping: '正在停下……',
    bytes: (out: string, back: string) => `已送出 ${out}，已收到 ${back}`,
    files: (nth: number, of: number) => `照片和附件：第 ${nth} 个，共 ${of} 个`,
    progress: '照片和附件的进度',
    nextTry: (when: string) => `会自动再试，下次 ${when}。`,
  },
  metered: {
    title: '流量节省',
    on: '先传文字，照片和附件等我来传',
    hint: '用手机热点等按流量计费的网络时打开。记录照常自动上报，小图照常显示，原件不会自动传。',
    toSend: (n: number, size: string) => `${n} 个照片和附件还没有送出（${size}）。`,
    toFetch: (n: number, size: string) => `${n} 个照片和附件还没有取来（${size}）。`,
    carry: '传照片',
    carried: '照片和附件已传完',
  },
  losses: {
    title: '继续之前请先核对',
    stopped: '已按您的决定停下',
    incoming: (n: number) => `市级平台送来的内容会让这台电脑上的 ${n} 条记录被删除、退回或清空。现在本机的记录都还在，一条也没有动。`,
    outgoing: (n: number) => `这次上报会让市级平台上的 ${n} 条记录被删除或清空。现在还没有送出，平台上的记录都还在。`,
    more: (n: number) => `还有 ${n} 条`,
    ask: '如果不清楚为什么会这样，请先不要继续，联系市级平台问清楚。',
    refused: (incoming: boolean) =>
      incoming
        ? '平台送来的内容没有收进来，本机的内容照常上报。问清楚以后可以再继续。'
        : '本机的内容没有送出，平台送来的内容照常收进来。问清楚以后可以再继续。',
    chooseAgain: '同意后请再选一次刚才的文件。',
    at: (when: string) => `停下的时间：${when}`,
    yes: (n: number) => `同意，这 ${n} 条可以这样处理`,
    no: '不同意，先停下',
  },
  receipts: {
    title: '回执',
    lead: '每次上报后市级平台签字确认收到了什么，时间以平台的时钟为准。有了回执，记录才算“已上报”。',
    empty: '还没有回执。上报成功以后，市级平台的回执会保存在这里。',
    columns: { at: '平台签收时间', computer: '电脑', covered: '首次确认的内容', proof: '签名' },
    unknown: '（没有登记名称）',
    here: '（本机）',
    covered: (records: number, changes: number) => `${records} 条记录的 ${changes} 项改动`,
    nothingNew: '没有新内容',
    proofs: { whole: '有效', signature: '有效（较早的回执，未存明细）', none: '无效' },
    all: '查看全部回执',
    one: '查看回执',
    doubtful: '录入时间存疑',
    doubtfulMore: '录入时间早于上一次回执，但当时还没有这项内容。请核对这台电脑的时钟。',
  },
}
