//! Setting a branch up and opening it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A branch whose records are kept on this computer.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct BranchOnDisk {
    /// The name of its folder under the data folder.
    pub folder: String,
    pub name: String,
    /// Another program has it open now.
    pub in_use: bool,
}

/// What the pages show before and around everything else.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Session {
    pub version: String,
    /// Where the records are kept on this computer.
    pub data_folder: String,
    pub branches: Vec<BranchOnDisk>,
    pub open: Option<OpenBranchInfo>,
    /// Today as a civil date at +08:00.
    pub today: String,
}

/// The branch that is open.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct OpenBranchInfo {
    pub folder: String,
    /// 全称.
    pub name: String,
    pub short: String,
    /// Who is at the keyboard, as given at set-up.
    pub author: String,
    pub has_committee: bool,
    pub groups: Vec<super::Choice>,
    /// The recovery code was shown but never typed back.
    pub recovery_unconfirmed: bool,
}

/// Everything that set-up asks.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CreateBranch {
    pub name: String,
    pub short: String,
    /// A code of the field `type` of kind `organisation`.
    pub r#type: String,
    pub superior: String,
    /// The first month that is kept here, `2026-09-01`; earlier is 未记录.
    pub records_since: String,
    /// 支委会 stands, with this many seats; absent where there is none.
    pub committee_seats: Option<u32>,
    /// Names of the 党小组 that exist, in order.
    pub groups: Vec<String>,
    /// Who is at the keyboard.
    pub author: String,
    pub password: String,
}

/// The new branch and its recovery code, shown once.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct BranchCreated {
    pub folder: String,
    pub recovery_code: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ConfirmRecovery {
    pub code: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct OpenBranch {
    pub folder: String,
    pub password: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct OpenWithRecovery {
    pub folder: String,
    pub code: String,
    pub new_password: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ChangePassword {
    pub old: String,
    pub new: String,
}

/// The branch's own facts as they are shown.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct OrganisationPage {
    pub id: String,
    pub form: OrganisationForm,
    pub base: super::Base,
    /// How much waits for a person to decide.
    pub undecided: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SaveOrganisation {
    pub form: OrganisationForm,
    pub base: super::Base,
}

/// The branch's own facts, as its page shows and saves them.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct OrganisationForm {
    pub name: String,
    pub short: String,
    pub r#type: String,
    pub superior: String,
    pub founded: Option<String>,
    pub records_since: String,
    pub units: String,
    pub term_began: Option<String>,
    pub term_years: Option<u32>,
    pub committees: Vec<CommitteeTerm>,
    pub groups: Vec<GroupForm>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CommitteeTerm {
    pub id: String,
    pub from: String,
    pub to: Option<String>,
    pub seats: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct GroupForm {
    pub id: String,
    pub name: String,
    pub from: String,
    pub to: Option<String>,
}
