//! The search box.

use crate::app::App;
use crate::contract::{ReportState, SearchHit, SearchPage, SearchRequest};
use crate::error::CallError;
use crate::values::kinds;
use store::Hit;

const PAGE: u32 = 30;

impl App {
    pub(crate) fn search(&self, request: SearchRequest) -> Result<SearchPage, CallError> {
        let mut hits = self.branch()?.store.search(&request.text, PAGE + 1)?;
        let more = hits.len() > PAGE as usize;
        hits.truncate(PAGE as usize);
        Ok(SearchPage { hits: hits.into_iter().map(found).collect(), more })
    }
}

fn found(hit: Hit) -> SearchHit {
    SearchHit {
        kind_label: kinds().get(&hit.kind).map(|kind| kind.label.clone()).unwrap_or_default(),
        kind: hit.kind,
        id: hit.id,
        title: hit.title,
        date: hit.date.get(..10).map(str::to_owned),
        excerpt: hit.excerpt.unwrap_or_default(),
        report: if hit.at_city { ReportState::Received } else { ReportState::Waiting },
    }
}
