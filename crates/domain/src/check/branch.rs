//! What the branch itself is short of on a day.

use crate::finding::{Code, Finding};
use crate::organisation::{Organisation, OrganisationKind};
use crate::pack::Pack;
use crate::person::Post;
use crate::roster::{Branch, roster};
use chrono::{Months, NaiveDate};

/// Findings about a branch's committee, secretary and term on a day.
pub fn check_branch(branch: Branch, pack: &Pack, date: NaiveDate) -> Vec<Finding> {
    if matches!(branch.org.kind, Some(OrganisationKind::Committee | OrganisationKind::General)) {
        return Vec::new();
    }
    let committee = committee(branch, pack, date);
    let lines = roster(branch, date);
    let vacant = !lines.is_empty() && !lines.iter().any(|line| line.posts.contains(&Post::Secretary));
    let secretary = vacant.then(|| {
        let finding = Finding::warning(Code::SecretaryVacant).with_date("date", date);
        finding.at("posts").on(pack.cite(&pack.committee.article))
    });
    committee.into_iter().chain(secretary).chain(term(branch.org, pack, date)).collect()
}

fn committee(branch: Branch, pack: &Pack, date: NaiveDate) -> Option<Finding> {
    let rule = &pack.committee;
    let members = branch.full_members(date);
    let has_one = branch.org.committee_on(date).is_some();
    let code = match (has_one, members >= rule.from_full_members) {
        (false, true) => Code::CommitteeDue,
        (true, false) => Code::CommitteeBelowThreshold,
        (true, true) | (false, false) => return None,
    };
    let finding = Finding::warning(code).with("members", members).with("threshold", rule.from_full_members);
    Some(finding.at("committee").on(pack.cite(&rule.article)))
}

/// The first day after the term, once it has come. A 临时党支部 has no term.
fn term(org: &Organisation, pack: &Pack, date: NaiveDate) -> Option<Finding> {
    if org.kind == Some(OrganisationKind::Temporary) {
        return None;
    }
    let months = org.term_years?.checked_mul(12)?;
    let ends = org.term_began?.checked_add_months(Months::new(months))?;
    let expired = date >= ends;
    expired.then(|| {
        Finding::warning(Code::TermExpired)
            .with_date("ends", ends)
            .at("term_began")
            .on(pack.cite("branch-21"))
    })
}
