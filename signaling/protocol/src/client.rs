//! What a client sends.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::conduct::Conduct;
use crate::directory::{Place, Tier};
use crate::duty::DutyOrder;
use crate::ids::{
    AccountId, ConferenceId, IncidentId, InvitationId, ParticipantId, SiteCode, TalkGroupId,
};
use crate::incident::{IncidentReport, IncidentStep};
use crate::plan::{PlanContent, PlanOrder};
use crate::talk::{FloorAct, TalkOrder};

/// One request over the WebSocket.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct ClientMessage {
    /// Chosen by the client, unique on its connection; comes back in the reply.
    pub id: u32,
    /// Idempotency key of an order (1 to 64 characters): sent twice, also over another
    /// connection, the order acts once and the second reply repeats the first.
    #[serde(default)]
    #[ts(optional)]
    pub key: Option<String>,
    pub request: Request,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Device {
    Console,
    /// The room terminal of a site, often unattended.
    Terminal,
    Phone,
}

/// Whom a call is for.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum Target {
    Site {
        code: SiteCode,
    },
    Person {
        account: AccountId,
    },
    /// Every site of the tier below the caller (县呼乡: the townships).
    Tier {
        tier: Tier,
    },
    /// A site and all below it (三级联调). The caller's own site is never rung.
    Subtree {
        root: SiteCode,
    },
}

/// One picture on the client's page.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct Tile {
    pub participant: ParticipantId,
    /// Of the picture on the page, in device pixels: no larger picture is sent
    /// than fits. 0: scrolled away, nothing is sent but the slot is kept, so that it comes
    /// back at once. Absent: the client does not know; the server takes a middle size.
    #[serde(default)]
    #[ts(optional)]
    pub height: Option<u32>,
    /// Pinned or enlarged: on a poor line the last to get worse.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub prominent: bool,
}

/// What a client would like to see, in order of importance.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct MediaWish {
    /// Pinned participants first, then those visible on the page, then those
    /// near it. Empty: the server chooses (chair, then in order of joining).
    pub tiles: Vec<Tile>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum Request {
    /// First on every connection. Reply: [`crate::Reply::Welcome`].
    Hello {
        version: u16,
        device: Device,
        /// From the last welcome, to come back as the same client (same
        /// participant, same media) after a lost connection.
        resume: Option<String>,
        /// The stay that this client holds (`ownParticipant` of its last snapshot, or of
        /// `Accepted`). After a restart of the server, which forgets the resume
        /// tokens, the stay goes to the client that names it, not to
        /// whichever of the account's devices comes first.
        #[serde(default)]
        #[ts(optional)]
        participant: Option<ParticipantId>,
        /// The device may be answered for it when ordered from above.
        auto_answer: bool,
    },
    /// Rings all targets in parallel. Reply: `Called`.
    Call {
        targets: Vec<Target>,
        title: Option<String>,
        /// True: an order (auto-answer where allowed); only downwards. False: asks.
        ordered: bool,
        /// What it is about; the call stands in the incident's timeline.
        #[serde(default)]
        #[ts(optional)]
        incident: Option<IncidentId>,
    },
    /// Reply: `Reported`.
    ReportIncident { report: IncidentReport },
    /// One more step of an incident that the client sees. Reply: `Done`.
    IncidentStep {
        incident: IncidentId,
        step: IncidentStep,
    },
    /// Opens one incident's dossier on the page, or closes it (absent). Reply:
    /// `Dossier`, or `Done`; while it is open, changes come as [`crate::Push::Dossier`].
    OpenIncident { incident: Option<IncidentId> },
    /// Reply: see the orders.
    Plan { order: PlanOrder },
    /// Every plan that the client may see. Reply: `Plans`.
    Plans,
    /// What the content would do now, run by this client for an incident at the site.
    /// Nothing happens. Reply: `Rehearsal`.
    RehearsePlan {
        content: PlanContent,
        site: SiteCode,
    },
    /// Reply: `Done`.
    Duty { order: DutyOrder },
    /// The duty roster over a time. Reply: `Roster`.
    Roster { from_ms: f64, to_ms: f64 },
    /// Goes after somebody who was missed, by contacts and other channels. Reply: `Done`.
    Pursue { invitation: InvitationId },
    /// Rings further targets into a running conference. Reply: `Called`.
    Invite {
        conference: ConferenceId,
        targets: Vec<Target>,
        ordered: bool,
    },
    /// Rings everyone again who was invited and is absent (呼叫缺席). Reply: `Called`.
    InviteAbsent { conference: ConferenceId },
    /// Takes a ring back. Reply: `Done`.
    CancelInvitation { invitation: InvitationId },
    /// Reply: `Accepted`. Only the first of several devices gets it. A client
    /// is in one conference at a time: accepting another leaves the first.
    Accept { invitation: InvitationId },
    /// Reply: `Done`.
    Decline { invitation: InvitationId },
    /// Reply: `Done`.
    Leave { conference: ConferenceId },
    /// Takes a participant out (强拆), with the reason shown on its device. Reply: `Done`.
    Remove {
        conference: ConferenceId,
        participant: ParticipantId,
        reason: String,
    },
    /// Reply: `Done`.
    End { conference: ConferenceId },
    /// Mutes one at the media server, or lifts that. Reply: `Done`.
    Mute {
        conference: ConferenceId,
        participant: ParticipantId,
        muted: bool,
    },
    /// Mutes everyone but the chair, later joiners too, or lifts that. Reply: `Done`.
    MuteAll {
        conference: ConferenceId,
        muted: bool,
    },
    /// Hands the chair to another participant. Reply: `Done`.
    HandOver {
        conference: ConferenceId,
        participant: ParticipantId,
    },
    /// Conducts a running conference (会控). Reply: `Done`, unless the step says otherwise.
    Conduct {
        conference: ConferenceId,
        step: Conduct,
    },
    /// Says what the client itself sends, for everybody's display. Reply: `Done`.
    SetOwnMedia {
        conference: ConferenceId,
        microphone: bool,
        camera: bool,
    },
    /// Negotiates the client's media once per connection to the media server:
    /// one sendonly/sendrecv audio, one sendonly video (camera), any number of
    /// recvonly videos (the slots, at most 49) and recvonly audios (at most 4).
    /// An offer with other ICE credentials for a running peer is an ICE
    /// restart (RFC 8839 §4.4.3). Reply: `Answer`.
    Offer {
        conference: ConferenceId,
        sdp: String,
    },
    /// Which participants the client wants in its video slots. Reply: `Done`;
    /// the outcome comes as [`crate::Push::Slots`].
    Show {
        conference: ConferenceId,
        wish: MediaWish,
    },
    /// About talk groups and their alarms. Reply: `GroupCreated` or `Done`.
    Talk { order: TalkOrder },
    /// Listening to a talk group, and speaking in it.
    Floor { group: TalkGroupId, act: FloorAct },
    /// Where the device is now: groups of an area follow it. Kept for ten minutes, never
    /// journaled. Reply: `Done`.
    Here { place: Place },
    /// Asks for nothing: the time of the answer is the round trip. Reply: `Done`.
    Ping,
}
