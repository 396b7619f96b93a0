//! A commander and some sites in a call with media.

use std::time::Duration;

use anyhow::bail;
use liandong_loadtest::{Bot, BotPlan, MediaPlan, sites};
use liandong_protocol::{
    AccountId, ConferenceId, Device, ParticipantState, Reply, Request, Target,
};

use crate::{PASSWORD, ServerProcess, until};

/// Setting it up takes no longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Everybody is a bot of another media stack.
#[derive(Debug)]
pub struct LiveCall {
    pub commander: Bot,
    pub others: Vec<Bot>,
    pub conference: ConferenceId,
}

impl LiveCall {
    /// Calls so many sites and waits until all pictures move.
    ///
    /// # Errors
    /// Somebody does not come, or is not seen, in time.
    pub async fn start(server: &ServerProcess, sites: usize) -> anyhow::Result<Self> {
        let all = sites::read(None)?;
        let fleet = server.fleet(Some(MediaPlan::default()))?;
        let chosen = sites::spread(&all, sites)?;
        let mut others = Vec::new();
        for site in &chosen {
            others.push(Bot::start(fleet.server.clone(), fleet.terminal(site)?));
        }
        let mut plan = BotPlan::terminal(
            AccountId::from("commander"),
            PASSWORD.to_owned(),
            "commander".to_owned(),
            0,
        );
        plan.device = Device::Console;
        let commander = Bot::start(fleet.server.clone(), plan);
        for bot in others.iter().chain([&commander]) {
            until("the bot is online", PATIENCE, || async {
                bot.seen().borrow().online
            })
            .await?;
        }
        let targets = chosen.iter().map(|site| Target::Site {
            code: site.code.clone(),
        });
        let order = Request::Call {
            targets: targets.collect(),
            title: None,
            ordered: true,
            incident: None,
        };
        let called = commander.order(None, order).await?;
        let Reply::Called { conference, .. } = called else {
            bail!("the call was answered by {called:?}");
        };
        let call = Self {
            commander,
            others,
            conference,
        };
        call.goes_on("at first", PATIENCE).await?;
        Ok(call)
    }

    pub fn everyone(&self) -> impl Iterator<Item = &Bot> {
        self.others.iter().chain([&self.commander])
    }

    /// Video frames that each has received so far.
    #[must_use]
    pub fn frames(&self) -> Vec<u64> {
        self.everyone()
            .map(|bot| {
                bot.report()
                    .video_slots
                    .iter()
                    .map(|slot| slot.frames)
                    .sum()
            })
            .collect()
    }

    /// Everybody is in, and everybody's picture moves.
    ///
    /// # Errors
    /// Not so in time.
    pub async fn goes_on(&self, when: &str, within: Duration) -> anyhow::Result<()> {
        let before = self.frames();
        until(&format!("the call goes on {when}"), within, || async {
            let seen = self.commander.seen();
            let all_in = {
                let seen = seen.borrow();
                let stays = seen.participants.values();
                let within = stays.filter(|one| {
                    one.conference == self.conference && one.state == ParticipantState::In
                });
                seen.online && within.count() == self.others.len() + 1
            };
            let moving = self
                .frames()
                .iter()
                .zip(&before)
                .all(|(now, before)| *now > before + 3);
            all_in && moving
        })
        .await
    }
}
