//! The made-up town of `tests/fixtures/town`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// A line of organisations.csv.
#[derive(Debug, Clone)]
pub struct TownOrganisation {
    pub id: String,
    pub name: String,
    pub kind: String,
    pub parent: String,
    pub founded: String,
}

/// A line of people.csv.
#[derive(Debug, Clone)]
pub struct TownPerson {
    pub organisation: String,
    pub name: String,
    pub sex: String,
    pub born: String,
    pub id_number: String,
    pub phone: String,
    pub status: String,
    pub joined: String,
    pub confirmed: String,
    pub post: String,
    pub group: String,
}

/// Who and what there is.
#[derive(Debug, Clone)]
pub struct Town {
    pub organisations: Vec<TownOrganisation>,
    pub people: Vec<TownPerson>,
}

/// The branch that stories and measurements are about: 31 people in two groups.
pub const BRANCH: &str = "O008";

impl Town {
    /// Where the fixture lies in the checkout.
    pub fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/town")
    }

    pub fn read() -> Result<Self> {
        let organisations = rows(&Self::folder().join("organisations.csv"), 6)?;
        let people = rows(&Self::folder().join("people.csv"), 12)?;
        Ok(Self {
            organisations: organisations.into_iter().map(organisation).collect(),
            people: people.into_iter().map(person).collect(),
        })
    }

    pub fn organisation(&self, id: &str) -> Result<&TownOrganisation> {
        let found = self.organisations.iter().find(|organisation| organisation.id == id);
        found.with_context(|| format!("the town has no organisation {id}"))
    }

    pub fn people_of(&self, id: &str) -> impl Iterator<Item = &TownPerson> {
        self.people.iter().filter(move |person| person.organisation == id)
    }

    /// The people of an organisation as a secretary copies them from a spreadsheet: a header, tabs, line feeds.
    pub fn pasted(&self, id: &str) -> String {
        let mut text =
            "姓名\t性别\t出生日期\t身份证号\t联系电话\t人员类别\t入党日期\t转正日期\t党内职务\t党小组"
                .to_owned();
        for person in self.people_of(id) {
            let cells = [
                &person.name,
                &person.sex,
                &person.born,
                &person.id_number,
                &person.phone,
                &person.status,
                &person.joined,
                &person.confirmed,
                &person.post,
                &person.group,
            ];
            text.push('\n');
            text.push_str(&cells.map(String::as_str).join("\t"));
        }
        text
    }
}

/// The lines below the header; the fixture quotes nothing.
fn rows(path: &Path, columns: usize) -> Result<Vec<Vec<String>>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.lines()
        .skip(1)
        .enumerate()
        .map(|(index, line)| {
            let cells: Vec<String> = line.split(',').map(|cell| cell.trim().to_owned()).collect();
            ensure!(cells.len() == columns, "{}: line {}: not {columns} cells", path.display(), index + 2);
            Ok(cells)
        })
        .collect()
}

fn organisation(cells: Vec<String>) -> TownOrganisation {
    let [id, name, kind, parent, founded, _lines] =
        <[String; 6]>::try_from(cells).expect("rows were counted");
    TownOrganisation { id, name, kind, parent, founded }
}

fn person(cells: Vec<String>) -> TownPerson {
    let [organisation, name, sex, born, id_number, phone, status, joined, confirmed, post, group, _mobile] =
        <[String; 12]>::try_from(cells).expect("rows were counted");
    TownPerson { organisation, name, sex, born, id_number, phone, status, joined, confirmed, post, group }
}

#[cfg(test)]
mod tests {
    use super::{BRANCH, Town};

    #[test]
    fn the_branch_is_there() {
        let town = Town::read().unwrap();
        assert_eq!((town.organisations.len(), town.people.len()), (59, 607));
        assert_eq!(town.people_of(BRANCH).count(), 31);
        assert_eq!(town.pasted(BRANCH).lines().count(), 32, "a header and one line a person");
    }
}
