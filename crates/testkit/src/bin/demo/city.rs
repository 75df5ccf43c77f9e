//! The city of the demonstration: made, started, asked for codes.

use std::path::Path;

use anyhow::Result;
use testkit::{BRANCH, CityProcess};

use crate::Steps;

pub struct DemoCity(CityProcess);

impl DemoCity {
    pub fn begin(data: &Path, steps: &Steps) -> Result<Self> {
        let mut city = CityProcess::init(data)?;
        steps.tell("市级平台：city init，导入党组织名册");
        city.serve()?;
        steps.tell(format!("市级平台：city serve，{}", city.address()));
        Ok(Self(city))
    }

    pub fn address(&self) -> String {
        self.0.address()
    }

    pub fn code(&self) -> Result<String> {
        self.0.code_for(BRANCH)
    }

    /// Stops the server and hands over what its folder holds.
    pub fn stop(mut self) -> Result<CityProcess> {
        self.0.kill()?;
        Ok(self.0)
    }
}
