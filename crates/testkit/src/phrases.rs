//! Chinese text as secretaries write it: made of many short parts, so that it is neither the same twice nor noise.

use crate::random::Random;

const WHEN: &[&str] = &[
    "夜班交接以后",
    "上半月",
    "这次检查中",
    "旺季到来之前",
    "设备停机检修期间",
    "台风过后",
    "季度末",
    "开工头三天",
    "盘点那一周",
    "新人入职时",
    "客户来厂验货前",
    "雨季里",
    "双十一期间",
    "节后复工",
    "发工资那几天",
    "消防演练之后",
    "仓库搬迁时",
    "年终结算前",
    "合同续签以前",
    "高温天气里",
];
const WHO: &[&str] = &[
    "装卸二组",
    "质检班",
    "三车间的党员",
    "老同志",
    "运输队",
    "客服中心",
    "新来的学徒",
    "仓储部",
    "财务室两名同志",
    "分拣线",
    "值班党员",
    "工会小组",
    "研发组",
    "青年突击队",
    "门卫和保洁",
    "采购部",
    "外地项目部",
    "七号库",
    "食堂班组",
    "调度室",
    "包装线的女工",
    "驻外党员",
    "车队",
    "电商客服",
    "维修班",
];
const HOW: &[&str] = &[
    "连续两周",
    "主动",
    "逐户逐项",
    "按照上次会议的分工",
    "牵头",
    "没有等通知就",
    "利用午休时间",
    "会同行政部",
    "在晚饭后",
    "照着清单",
    "反复三次",
    "带着两名青年",
    "不声不响地",
    "当着客户的面",
    "自费",
    "比计划早四天",
    "分三批",
    "轮流",
];
const DID: &[&str] = &[
    "把货架重新编号",
    "清点了灭火器",
    "整理出过期票据",
    "走访了困难职工",
    "修好了漏雨的顶棚",
    "复核了出库单",
    "教会了扫码枪的用法",
    "补齐了安全培训签字",
    "把责任区牌挂到门口",
    "核对了党费台账",
    "联系了社区卫生院",
    "统计了流动党员的去向",
    "写出了工艺改进建议",
    "录入了去年的考勤",
    "调解了两起排班纠纷",
    "劝住了冒雨装车",
    "帮邻近商户搬走堵路的托盘",
    "拍下整改前后的照片",
    "找出了温控失灵的原因",
    "接待了上门的高校学生",
    "打印了学习材料",
    "跑通了退货流程",
    "更换了磨损的护栏",
    "抄下每个工位的隐患",
];
const BUT: &[&str] = &[
    "但是检查标准还不够细",
    "只是参加的人偏少",
    "不过夜班仍然照顾不到",
    "可公开栏半个月没有更新",
    "个别同志觉得耽误生产",
    "费用还没有落实",
    "有两处整改拖到了月底",
    "记录写得过于简单",
    "群众反映还要再快一些",
    "数据口径前后不一致",
    "缺一名会操作的人",
    "钥匙只有一把",
    "两个部门意见不同",
    "外协单位没有配合到位",
    "责任人调岗以后没人接手",
];
const SO: &[&str] = &[
    "建议每周五由专人检查一次",
    "要写清谁负责、什么时候完成",
    "下次会议汇报结果",
    "先在一个班组试行一个月",
    "由宣传委员列出检查项",
    "请支委会研究后答复",
    "把做法讲给其他小组听",
    "跟行政部商量一个固定时间",
    "结果贴到公开栏",
    "不能只挂牌子不干活",
    "年底评议时一并考虑",
    "先把最急的三件办完",
    "让本人写出说明",
    "从党费里列支材料钱",
    "请上级派人指导一次",
    "把电话留在值班室",
    "每月十五日以前报一次数",
    "党员带头、群众自愿",
    "同意的举手，不同意的说理由",
    "以后照此办理",
];
const TOPIC: &[&str] = &[
    "学习贯彻非公经济组织党建工作会议精神",
    "安全生产隐患排查",
    "党员责任区的检查办法",
    "夜班职工的学习安排",
    "困难职工走访",
    "党费收缴情况通报",
    "仓库防汛准备",
    "发展党员计划",
    "流动党员联系办法",
    "设备更新与节能",
    "班组之间的交接",
    "重温入党誓词",
    "条例第三章逐条学习",
    "服务大客户的承诺",
    "志愿服务进社区",
    "客户投诉的整改",
    "青年职工的培养",
    "车队行车安全",
    "上半年工作小结",
    "下季度活动安排",
    "民主评议的准备",
    "食品卫生检查",
    "新产品试制攻关",
    "劳动竞赛方案",
];
const PLACE: &[&str] = &[
    "公司二楼党员活动室",
    "七号库西侧会议角",
    "三车间休息区",
    "园区党群服务中心",
    "食堂北厅",
    "总部五楼会议室",
    "岱庙社区居委会",
    "徂徕山抗日武装起义纪念碑",
    "项目部板房",
    "线上会议室",
];
const STREET: &[&str] = &[
    "泰山大街",
    "东岳大街",
    "龙潭路",
    "灵山大街",
    "温泉路",
    "长城路",
    "望岳东路",
    "擂鼓石路",
    "迎胜路",
    "泮河大街",
];

/// One sentence.
pub fn sentence(random: &mut Random) -> String {
    let number = random.between(2, 480);
    let mut text = random.pick(WHEN).to_owned();
    if random.chance(40) {
        text.push('，');
    }
    text.push_str(random.pick(WHO));
    text.push_str(random.pick(HOW));
    text.push_str(random.pick(DID));
    match random.below(5) {
        0 => text.push_str(&format!("，涉及{number}件")),
        1 => text.push_str(&format!("，用了{}个小时", number % 30 + 1)),
        2 => text.push_str(&format!("，共{}人参加", number % 40 + 2)),
        _ => {}
    }
    if random.chance(55) {
        text.push('，');
        text.push_str(random.pick(BUT));
    }
    if random.chance(60) {
        text.push_str(random.pick(&["，", "；"]));
        text.push_str(random.pick(SO));
    }
    text.push('。');
    text
}

/// Sentences until the text has at least `characters` characters, in paragraphs of a few.
pub fn text(random: &mut Random, characters: usize) -> String {
    let mut text = String::new();
    let mut length = 0;
    let mut left = random.between(3, 7);
    while length < characters {
        let next = sentence(random);
        length += next.chars().count();
        text.push_str(&next);
        left -= 1;
        if left == 0 && length < characters {
            text.push('\n');
            left = random.between(3, 7);
        }
    }
    text
}

pub fn topic(random: &mut Random) -> String {
    match random.below(3) {
        0 => random.pick(TOPIC).to_owned(),
        1 => format!("{}、{}", random.pick(TOPIC), random.pick(TOPIC)),
        _ => format!("{}：{}", random.pick(TOPIC), random.pick(SO)),
    }
}

/// What somebody promises or is asked to do.
pub fn task(random: &mut Random) -> String {
    let month = random.between(1, 12);
    format!(
        "{}{}{}，{}月底以前{}，{}",
        random.pick(WHEN),
        random.pick(HOW),
        random.pick(DID),
        month,
        random.pick(DID),
        random.pick(SO)
    )
}

pub fn place(random: &mut Random) -> &'static str {
    random.pick(PLACE)
}

pub fn address(random: &mut Random) -> String {
    format!("泰安市{}{}号", random.pick(STREET), random.between(1, 899))
}
