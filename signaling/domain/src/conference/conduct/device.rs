//! Cameras and microphones that are switched on order. The device shows by whom and why;
//! terminals that may answer by themselves obey whoever stands above, all others are asked.

use serde::{Deserialize, Serialize};

use super::doors::needed;
use super::event::Conducted;
use super::role::ParticipantRole;
use crate::authority::{Post, Reach, may_command};
use crate::conference::Conference;
use crate::directory::Account;
use crate::draft::Draft;
use crate::ids::{AccountId, ParticipantId};
use crate::refusal::Refusal;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Device {
    Microphone,
    Camera,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum DeviceOrderState {
    /// The device has not said yet.
    Asked,
    Obeyed,
    Refused,
}

/// The last order about a camera or microphone.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceOrder {
    pub by: AccountId,
    pub on: bool,
    /// From above; otherwise asked: a chair may preside over its superiors, but opens no
    /// camera in their rooms.
    pub ordered: bool,
    pub reason: String,
    pub at: Timestamp,
    pub state: DeviceOrderState,
}

impl Draft {
    pub(crate) fn order_device(
        &mut self,
        by: &Account,
        running: &Conference,
        participant: ParticipantId,
        (device, on): (Device, bool),
        reason: &str,
    ) -> Result<(), Refusal> {
        let reason = needed(reason)?;
        let one = Draft::present(running, participant)?;
        may_command(running, by, Reach::One(one), &self.county.directory)?;
        if one.account == by.id {
            return Err(Refusal::Malformed("the own device needs no order"));
        }
        if one.role == ParticipantRole::Observer {
            return Err(Refusal::OnlyObserves);
        }
        let owner = self.county.directory.account(&one.account);
        let ordered = owner.is_some_and(|owner| {
            Post::of_account(by).is_above(Post::of_account(owner), &self.county.directory)
        });
        let what = Conducted::DeviceOrdered {
            participant,
            device,
            on,
            ordered,
            reason,
        };
        self.push_conduct(running.id, Some(&by.id), what);
        Ok(())
    }

    pub(crate) fn answer_device(
        &mut self,
        by: &Account,
        running: &Conference,
        (device, obeyed): (Device, bool),
        asked_at: Option<Timestamp>,
    ) -> Result<(), Refusal> {
        let own = Draft::own_stay(running, by)?;
        let order = own.device_order(device);
        let overtaken = order.is_some_and(|order| asked_at.is_some_and(|at| at != order.at));
        match order.map(|order| order.state) {
            Some(DeviceOrderState::Asked) if overtaken => Ok(()),
            Some(DeviceOrderState::Asked) => {
                let what = Conducted::DeviceAnswered {
                    participant: own.id,
                    device,
                    obeyed,
                };
                self.push_conduct(running.id, Some(&by.id), what);
                Ok(())
            }
            // Said again after a lost connection.
            Some(DeviceOrderState::Obeyed | DeviceOrderState::Refused) => Ok(()),
            None => Err(Refusal::NothingGoesOn),
        }
    }
}
