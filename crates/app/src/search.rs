//! The search box.

use crate::app::App;
use crate::branch::{Branch, fields};
use crate::contract::{SearchHit, SearchPage, SearchRequest};
use crate::error::CallError;
use crate::standing::reporting;
use crate::values::kinds;
use store::{Hit, Place};

const PAGE: u32 = 30;
/// Characters shown on each side of what was found.
const AROUND: usize = 16;

impl App {
    pub(crate) fn search(&self, request: SearchRequest) -> Result<SearchPage, CallError> {
        let branch = self.branch()?;
        let mut hits = branch.store.search(&request.text, PAGE + 1)?;
        let more = hits.len() > PAGE as usize;
        hits.truncate(PAGE as usize);
        let hits =
            hits.iter().map(|hit| found(&branch, hit, request.text.trim())).collect::<Result<_, _>>()?;
        Ok(SearchPage { hits, more })
    }
}

fn found(branch: &Branch, hit: &Hit, text: &str) -> Result<SearchHit, CallError> {
    let kind = kinds().get(&hit.kind);
    let excerpt = match hit.place {
        Place::Name | Place::Title => String::new(),
        Place::Text => match branch.store.record(&hit.kind, &hit.id)? {
            Some(state) => {
                // Masked fields are not searched, so they must not be quoted either.
                let shown = fields(&state);
                let open = shown.iter().filter(|(path, _)| {
                    kind.and_then(|kind| kind.field_for(path)).is_some_and(|field| !field.secret)
                });
                open.filter_map(|(_, value)| value.as_str())
                    .find_map(|value| excerpt(value, text))
                    .unwrap_or_default()
            }
            None => String::new(),
        },
    };
    Ok(SearchHit {
        kind: hit.kind.clone(),
        kind_label: kind.map(|kind| kind.label.clone()).unwrap_or_default(),
        id: hit.id.clone(),
        title: hit.title.clone(),
        date: hit.date.get(..10).map(str::to_owned),
        excerpt,
        report: reporting(&branch.store.history(&hit.kind, &hit.id)?).0,
    })
}

fn excerpt(value: &str, text: &str) -> Option<String> {
    let value: Vec<char> =
        value.chars().map(|letter| if letter.is_whitespace() { ' ' } else { letter }).collect();
    let wanted: Vec<char> = text.chars().collect();
    let at = value.windows(wanted.len().max(1)).position(|window| window == wanted)?;
    let (from, to) = (at.saturating_sub(AROUND), (at + wanted.len() + AROUND).min(value.len()));
    let cut = |there: bool| if there { "…" } else { "" };
    Some(format!("{}{}{}", cut(from > 0), value[from..to].iter().collect::<String>(), cut(to < value.len())))
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn an_excerpt_shows_what_stands_around() {
        assert_eq!(
            excerpt("建议把责任区牌挂到七号库门口", "七号库").as_deref(),
            Some("建议把责任区牌挂到七号库门口")
        );
        let long = format!("{}七号库{}", "前".repeat(40), "后".repeat(40));
        let expected = format!("…{}七号库{}…", "前".repeat(16), "后".repeat(16));
        assert_eq!(excerpt(&long, "七号库"), Some(expected));
        assert_eq!(excerpt("别的", "七号库"), None);
    }
}
