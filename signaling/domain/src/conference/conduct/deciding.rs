//! Roles, permissions, hands.

use super::event::{ConductEvent, Conducted};
use super::order::Conduct;
use super::role::{Mode, ParticipantRole, Permission};
use crate::authority::{Reach, may_command};
use crate::conference::Conference;
use crate::directory::Account;
use crate::draft::Draft;
use crate::event::Event;
use crate::ids::{AccountId, ConferenceId, ParticipantId};
use crate::order::OrderKind;
use crate::participant::Participant;
use crate::refusal::Refusal;

impl Draft {
    pub(crate) fn conduct(
        &mut self,
        by: &Account,
        conference: ConferenceId,
        step: &Conduct,
    ) -> Result<(), Refusal> {
        let running = self.running(conference)?;
        match step {
            Conduct::SetMode { mode } => self.set_mode(by, &running, *mode),
            Conduct::SetRole { participant, role } => {
                self.set_role(by, &running, *participant, *role)
            }
            Conduct::Permit {
                participant,
                sound,
                picture,
            } => {
                let permission = Permission {
                    sound: *sound,
                    picture: *picture,
                };
                self.permit(by, &running, *participant, permission)
            }
            Conduct::Hand { raised } => self.own_hand(by, &running, *raised),
            Conduct::LowerHand { participant } => self.lower_hand(by, &running, *participant),
            Conduct::Lock { locked } => self.lock(by, &running, *locked),
            Conduct::SetLobby { open } => self.set_lobby(by, &running, *open),
            Conduct::Enter { reason } => self.enter(by, &running, reason.as_deref()),
            Conduct::Withdraw => self.withdraw(by, &running),
            Conduct::Admit { account, admitted } => self.admit(by, &running, account, *admitted),
            Conduct::Move {
                participant,
                to,
                reason,
            } => self.move_by_order(by, &running, *participant, *to, reason),
            Conduct::Insert { target, reason } => self.insert(by, &running, target, reason),
            Conduct::Observe { reason } => self.observe(by, &running, reason),
            Conduct::CallUp { .. }
            | Conduct::NextSpeaker
            | Conduct::Broadcast { .. }
            | Conduct::EndAddress
            | Conduct::Spotlight { .. }
            | Conduct::StartCarousel { .. }
            | Conduct::PauseCarousel { .. }
            | Conduct::NextInCarousel
            | Conduct::StopCarousel
            | Conduct::StartRoll { .. }
            | Conduct::StopRoll
            | Conduct::OrderDevice { .. }
            | Conduct::AnswerDevice { .. }
            | Conduct::Received { .. } => self.direct(by, &running, step),
        }
    }

    /// What the one who conducts does with what is seen and heard.
    fn direct(
        &mut self,
        by: &Account,
        running: &Conference,
        step: &Conduct,
    ) -> Result<(), Refusal> {
        match step {
            Conduct::CallUp { participant } => self.call_up(by, running, *participant),
            Conduct::NextSpeaker => self.next_speaker(by, running),
            Conduct::Broadcast { tier } => self.broadcast(by, running, *tier),
            Conduct::EndAddress => self.end_address(by, running),
            Conduct::Spotlight { participant } => self.spotlight(by, running, *participant),
            Conduct::StartCarousel {
                accounts,
                interval_s,
            } => self.start_carousel(by, running, accounts, *interval_s),
            Conduct::PauseCarousel { paused } => self.pause_carousel(by, running, *paused),
            Conduct::NextInCarousel => self.next_in_carousel(by, running),
            Conduct::StopCarousel => self.stop_carousel(by, running),
            Conduct::StartRoll { order, answer_s } => {
                self.start_roll(by, running, *order, *answer_s)
            }
            Conduct::StopRoll => self.stop_roll(by, running),
            Conduct::OrderDevice {
                participant,
                device,
                on,
                reason,
            } => self.order_device(by, running, *participant, (*device, *on), reason),
            Conduct::AnswerDevice {
                device,
                obeyed,
                asked_at,
            } => self.answer_device(by, running, (*device, *obeyed), *asked_at),
            other => Err(Refusal::WrongActor(OrderKind::Conduct(other.kind()))),
        }
    }

    /// By the server itself.
    pub(crate) fn conduct_by_system(
        &mut self,
        conference: ConferenceId,
        step: &Conduct,
    ) -> Result<(), Refusal> {
        let running = self.running(conference)?;
        match step {
            Conduct::Received {
                participant,
                sound,
                picture,
            } => self.received(&running, *participant, *sound, *picture),
            other => Err(Refusal::WrongActor(OrderKind::Conduct(other.kind()))),
        }
    }

    fn set_mode(&mut self, by: &Account, running: &Conference, mode: Mode) -> Result<(), Refusal> {
        may_command(running, by, Reach::All, &self.county.directory)?;
        if running.mode != mode {
            self.push_conduct(running.id, Some(&by.id), Conducted::ModeChanged { mode });
        }
        Ok(())
    }

    fn set_role(
        &mut self,
        by: &Account,
        running: &Conference,
        participant: ParticipantId,
        role: ParticipantRole,
    ) -> Result<(), Refusal> {
        let one = Draft::present(running, participant)?;
        let changes_lead = role == ParticipantRole::CoChair || one.role == ParticipantRole::CoChair;
        let reach = if changes_lead {
            Reach::Chair
        } else {
            Reach::One(one)
        };
        may_command(running, by, reach, &self.county.directory)?;
        if running.chair == Some(participant) {
            return Err(Refusal::HoldsChair);
        }
        if role == ParticipantRole::CoChair && !self.county.has_rank(one) {
            return Err(Refusal::CannotChair);
        }
        if one.role != role {
            self.push_conduct(
                running.id,
                Some(&by.id),
                Conducted::RoleChanged { participant, role },
            );
        }
        Ok(())
    }

    fn permit(
        &mut self,
        by: &Account,
        running: &Conference,
        participant: ParticipantId,
        permission: Permission,
    ) -> Result<(), Refusal> {
        let one = Draft::present(running, participant)?;
        may_command(running, by, Reach::One(one), &self.county.directory)?;
        if running.chair == Some(participant) {
            return Err(Refusal::HoldsChair);
        }
        if one.role == ParticipantRole::Observer {
            return Err(Refusal::OnlyObserves);
        }
        if one.permission != permission {
            self.push_conduct(
                running.id,
                Some(&by.id),
                Conducted::Permitted {
                    participant,
                    permission,
                },
            );
        }
        if permission.sound {
            self.gate(one, false, Some(&by.id));
            self.hand_down(one, Some(&by.id));
        }
        Ok(())
    }

    fn own_hand(
        &mut self,
        by: &Account,
        running: &Conference,
        raised: bool,
    ) -> Result<(), Refusal> {
        let own = Draft::own_stay(running, by)?;
        if own.role == ParticipantRole::Observer {
            return Err(Refusal::OnlyObserves);
        }
        if !raised {
            self.hand_down(own, Some(&by.id));
        } else if own.hand.is_none() {
            let participant = own.id;
            self.push_conduct(
                running.id,
                Some(&by.id),
                Conducted::HandRaised { participant },
            );
        }
        Ok(())
    }

    fn lower_hand(
        &mut self,
        by: &Account,
        running: &Conference,
        participant: ParticipantId,
    ) -> Result<(), Refusal> {
        let one = Draft::present(running, participant)?;
        may_command(running, by, Reach::One(one), &self.county.directory)?;
        self.hand_down(one, Some(&by.id));
        Ok(())
    }

    pub(crate) fn hand_down(&mut self, one: &Participant, by: Option<&AccountId>) {
        if one.hand.is_some() {
            let participant = one.id;
            self.push_conduct(one.conference, by, Conducted::HandLowered { participant });
        }
    }

    pub(crate) fn push_conduct(
        &mut self,
        conference: ConferenceId,
        by: Option<&AccountId>,
        what: Conducted,
    ) {
        self.push(Event::Conduct {
            event: ConductEvent {
                conference,
                by: by.cloned(),
                at: self.now,
                what,
            },
        });
    }
}
