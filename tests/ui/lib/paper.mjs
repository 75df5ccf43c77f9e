// The three branches of tests/fixtures/town/paper-records.md, as their secretaries set them up.
const SUPERIOR = '中国共产党岱岳区非公有制经济组织委员会'
const HEADER = ['姓名', '人员类别', '入党日期', '转正日期', '党内职务', '党小组']
const full = (name, post = '', group = '') => [name, '党员', '2015-07-01', '2016-07-01', post, group]

const FIRST = '第一党小组'
const SECOND = '第二党小组'

export const SUDA = {
  name: '中国共产党泰安速达物流有限公司支部委员会',
  short: '速达物流',
  superior: SUPERIOR,
  since: '2026-09',
  seats: 3,
  groups: [FIRST, SECOND],
  author: '李秀英',
  roster: [
    HEADER,
    full('周海东', '书记', FIRST),
    full('李秀英', '组织委员', SECOND),
    full('马超', '宣传委员', SECOND),
    full('王立军', '', FIRST),
    full('张桂兰', '', SECOND),
    full('赵鹏', '', SECOND),
    full('孙明', '', FIRST),
    full('刘建华', '', FIRST),
    full('韩德福', '', FIRST),
    full('吴涛', '', SECOND),
    full('郑凯', '', SECOND),
    full('单玉兰', '', SECOND),
    ['冯雪', '党员', '2026年3月', '', '', FIRST],
    ['欧阳宁', '党员', '2026年5月', '', '', SECOND],
    ['陈晓雨', '发展对象', '', '', '', ''],
    ['高翔', '群众', '', '', '', ''],
  ],
}

export const YUNQIAO = {
  name: '中国共产党泰安云桥信息技术有限公司支部',
  short: '云桥信息',
  superior: SUPERIOR,
  since: '2026-09',
  author: '覃志远',
  roster: [HEADER, full('覃志远', '书记'), full('杨帆'), full('许丽'), full('何勇'), full('梁倩'), ['区文斌', '党员', '2026-04-15', '', '', '']],
}

export const LUYUE = {
  name: '中国共产党泰安鲁岳建材有限公司支部委员会',
  short: '鲁岳建材',
  superior: SUPERIOR,
  since: '2026-09',
  seats: 3,
  author: '尉迟敬',
  roster: [
    HEADER,
    full('尉迟敬', '书记'),
    full('曹峰', '组织委员'),
    full('缪芳', '宣传委员'),
    ...['丁强', '魏东', '薛梅', '叶青', '阎军', '余波', '潘辉'].map((name) => full(name)),
  ],
}

/** The line of the town's list of organisations under which the city knows a branch. */
export const registered = ({ name }, id) => `${id},${name},党支部,O012,2015-01-01,`
