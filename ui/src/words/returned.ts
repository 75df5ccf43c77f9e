/** 被退回: what the city refused, in words for its author. */
export const returnedWords = {
  returned: {
    title: '被退回',
    state: '被退回',
    untitled: '（未命名）',
    empty: '没有被退回的内容。',
    lead: '下面这些内容市级平台没有采用，只有您这里看得到。原来写的都还在，可以改好再报，也可以复制出来或放弃。',
    top: (n: number) => `市级平台退回了 ${n} 条记录，原来写的都还在。`,
    all: '全部查看',
    ruledAt: (when: string) => `退回于 ${when}`,
    savedAt: (when: string) => `保存于 ${when}`,
    jump: (label: string) => `到“${label}”这一栏`,
    written: (n: number) => `查看写的内容（${n} 项）`,
    edit: '修改后重报',
    copy: '复制',
    copied: '已复制，可以粘贴到别处',
    notCopied: '没有复制成功，请展开内容后手工选取',
    discard: '放弃',
    discardAsk: '放弃这些内容？',
    discardText: (title: string) => `“${title}”被退回的内容以后不再提醒，也不会上报；市级平台上已有的内容不变。`,
    discarded: '已放弃',
    noForm: '这一类没有单独的表单：请复制后，到原来的页面重新填写。',
    alongReason: '这一条本身没有问题，是和有问题的一起保存的。',
    along: (n: number) => `有 ${n} 条本身没有问题，只是和有问题的一起保存的。`,
    resendAlong: '照原样重报',
    resent: (n: number) => `已重新保存 ${n} 条，会随下次上报送出`,
    onRecord: '这条记录有内容被退回：',
    sending: '正在修改被退回的内容，保存后会重新上报。',
  },
}

/** What the city's codes mean, for one that comes without words of its own. */
export const returnReasons: Readonly<Record<string, string>> = {
  sealed: '记录已归档，不能再改；确需更正请联系市级平台',
  city_only: '这一栏由市级平台填写',
  device_only: '这一栏只能保存在本机，不能上报',
  quarantined: '这台电脑停用以后写的，等市级平台核对；需要时可以重新接入后再报',
  not_yours: '这一项不归这台电脑处理',
}
