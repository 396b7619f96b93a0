//! What of the wire is an order of the rules, and what is not.

use liandong_domain::{
    self as domain, ConferenceId, IncidentId, IncidentOrder, InvitationId, Order, ParticipantId,
};
use liandong_protocol::{self as protocol, Request};

use crate::media::wishes::{Tile, bounded_height};
use crate::views::{conduct, duty, incidents, plans, talk, wire};

/// A request by what it takes to carry it out.
#[derive(Debug)]
pub enum Work {
    /// The rules decide, and it is journaled.
    Order(Order),
    /// The media node answers.
    Offer {
        conference: ConferenceId,
        sdp: String,
    },
    /// Which slots show whom; not journaled.
    Show {
        conference: ConferenceId,
        tiles: Vec<Tile>,
    },
    /// The client's page shows this one whole, or none.
    OpenIncident(Option<IncidentId>),
    /// What stands in the books, and what a plan would do.
    Read(Reading),
    /// Only the first message of a connection may be one.
    Hello,
    /// The exchange's, see [`crate::talk`]; the connection takes it there.
    Floor,
    /// Nothing is to be done.
    Ping,
}

/// What is read and changes nothing.
#[derive(Debug)]
pub enum Reading {
    Plans,
    Rehearsal {
        content: protocol::plan::PlanContent,
        site: domain::SiteCode,
    },
    Roster {
        from_ms: f64,
        to_ms: f64,
    },
}

impl From<Request> for Work {
    fn from(request: Request) -> Self {
        let conference_id = |id: protocol::ConferenceId| ConferenceId(id.0);
        let participant_id = |id: protocol::ParticipantId| ParticipantId(id.0);
        let invitation_id = |id: protocol::InvitationId| InvitationId(id.0);
        let targets = |targets: Vec<protocol::Target>| -> Vec<domain::Target> {
            targets.into_iter().map(wire::target).collect()
        };
        Work::Order(match request {
            Request::Hello { .. } => return Work::Hello,
            Request::Ping => return Work::Ping,
            Request::Floor { .. } | Request::Here { .. } => return Work::Floor,
            Request::Talk { order } => Order::Talk {
                order: talk::order_of(order),
            },
            Request::Offer { conference, sdp } => {
                return Work::Offer {
                    conference: conference_id(conference),
                    sdp,
                };
            }
            Request::Show { conference, wish } => {
                return Work::Show {
                    conference: conference_id(conference),
                    tiles: wish
                        .tiles
                        .into_iter()
                        .map(|tile| Tile {
                            participant: participant_id(tile.participant),
                            height: tile.height.map(bounded_height),
                            prominent: tile.prominent,
                        })
                        .collect(),
                };
            }
            Request::Call {
                targets: called,
                title,
                ordered,
                incident,
            } => Order::Call {
                targets: targets(called),
                title,
                ordered,
                incident: incident.map(incidents::id_of),
            },
            Request::ReportIncident { report } => Order::Incident {
                order: IncidentOrder::Report {
                    report: incidents::report(report),
                },
            },
            Request::IncidentStep { incident, step } => Order::Incident {
                order: IncidentOrder::Step {
                    incident: incidents::id_of(incident),
                    step: incidents::step(step),
                },
            },
            Request::OpenIncident { incident } => {
                return Work::OpenIncident(incident.map(incidents::id_of));
            }
            Request::Plan { order } => Order::Plan {
                order: plans::order(order),
            },
            Request::Duty { order } => Order::Duty {
                order: duty::order(order),
            },
            Request::Pursue { invitation } => Order::Pursuit {
                order: domain::PursuitOrder::Pursue {
                    invitation: invitation_id(invitation),
                },
            },
            Request::Plans => return Work::Read(Reading::Plans),
            Request::RehearsePlan { content, site } => {
                let site = domain::SiteCode(site.0);
                return Work::Read(Reading::Rehearsal { content, site });
            }
            Request::Roster { from_ms, to_ms } => {
                return Work::Read(Reading::Roster { from_ms, to_ms });
            }
            Request::Invite {
                conference,
                targets: called,
                ordered,
            } => Order::Invite {
                conference: conference_id(conference),
                targets: targets(called),
                ordered,
            },
            Request::InviteAbsent { conference } => Order::InviteAbsent {
                conference: conference_id(conference),
            },
            Request::CancelInvitation { invitation } => Order::CancelInvitation {
                invitation: invitation_id(invitation),
            },
            Request::Accept { invitation } => Order::Accept {
                invitation: invitation_id(invitation),
            },
            Request::Decline { invitation } => Order::Decline {
                invitation: invitation_id(invitation),
            },
            Request::Leave { conference } => Order::Leave {
                conference: conference_id(conference),
            },
            Request::Remove {
                conference,
                participant,
                reason,
            } => Order::Remove {
                conference: conference_id(conference),
                participant: participant_id(participant),
                reason,
            },
            Request::End { conference } => Order::End {
                conference: conference_id(conference),
            },
            Request::Mute {
                conference,
                participant,
                muted,
            } => Order::Mute {
                conference: conference_id(conference),
                participant: participant_id(participant),
                muted,
            },
            Request::MuteAll { conference, muted } => Order::MuteAll {
                conference: conference_id(conference),
                muted,
            },
            Request::HandOver {
                conference,
                participant,
            } => Order::HandOver {
                conference: conference_id(conference),
                participant: participant_id(participant),
            },
            Request::Conduct { conference, step } => Order::Conduct {
                conference: conference_id(conference),
                step: conduct::step(step),
            },
            Request::SetOwnMedia {
                conference,
                microphone,
                camera,
            } => Order::SetOwnMedia {
                conference: conference_id(conference),
                microphone,
                camera,
            },
        })
    }
}
