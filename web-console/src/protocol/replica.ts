import type { AccountId } from "./generated/AccountId";
import type { Conference } from "./generated/Conference";
import type { ConferenceId } from "./generated/ConferenceId";
import type { DirectoryPerson } from "./generated/DirectoryPerson";
import type { DirectorySite } from "./generated/DirectorySite";
import type { Door } from "./generated/Door";
import type { Dossier } from "./generated/Dossier";
import type { Incident } from "./generated/Incident";
import type { IncidentId } from "./generated/IncidentId";
import type { Invitation } from "./generated/Invitation";
import type { InvitationId } from "./generated/InvitationId";
import type { Me } from "./generated/Me";
import type { Participant } from "./generated/Participant";
import type { ParticipantId } from "./generated/ParticipantId";
import type { Pursuit } from "./generated/Pursuit";
import type { PursuitId } from "./generated/PursuitId";
import type { Push } from "./generated/Push";
import type { Ring } from "./generated/Ring";
import type { SiteCode } from "./generated/SiteCode";
import type { Snapshot } from "./generated/Snapshot";

/** How the own stay in a call ended without the user's doing. */
export type Parting =
  | { type: "removed"; title: string; byName: string; reason: string }
  | { type: "ended"; title: string; byName: string | null };

/** A ring at this client, and when (client's clock) it answers by itself. */
export type OwnRing = Ring & { autoAnswerAtMs: number | null };

/** The dossier on the page; `dossier` is null until the server has sent it. */
export type OpenDossier = { incident: IncidentId; dossier: Dossier | null };

/** What the server has told this client: a snapshot, and pushes since. */
export type Replica = {
  me: Me;
  /** Server's clock minus ours. */
  clockOffsetMs: number;
  sites: ReadonlyMap<SiteCode, DirectorySite>;
  people: ReadonlyMap<AccountId, DirectoryPerson>;
  conferences: ReadonlyMap<ConferenceId, Conference>;
  invitations: ReadonlyMap<InvitationId, Invitation>;
  participants: ReadonlyMap<ParticipantId, Participant>;
  incidents: ReadonlyMap<IncidentId, Incident>;
  /** Who is being gone after, and how. */
  pursuits: ReadonlyMap<PursuitId, Pursuit>;
  open: OpenDossier | null;
  rings: readonly OwnRing[];
  /** Calls that we may come into by ourselves, or have a place in. */
  doors: readonly Door[];
  /** The conference this client is in. */
  ownConference: ConferenceId | null;
  ownParticipant: ParticipantId | null;
  /** Left by the server's doing; the word why may still be on its way. */
  leftBehind: ConferenceId | null;
  /** What each of our video slots shows. */
  slots: readonly (ParticipantId | null)[];
  parting: Parting | null;
};

export function fromSnapshot(me: Me, snapshot: Snapshot, serverTimeMs: number, nowMs: number): Replica {
  const participants = keyed(snapshot.participants, (participant) => participant.id);
  const own = snapshot.ownParticipant === null ? undefined : participants.get(snapshot.ownParticipant);
  return {
    me,
    clockOffsetMs: serverTimeMs - nowMs,
    sites: keyed(snapshot.directory.sites, (site) => site.code),
    people: keyed(snapshot.directory.people, (person) => person.account),
    conferences: keyed(snapshot.conferences, (conference) => conference.id),
    invitations: keyed(snapshot.invitations, (invitation) => invitation.id),
    participants,
    incidents: keyed(snapshot.incidents, (incident) => incident.id),
    pursuits: keyed(snapshot.pursuits, (pursuit) => pursuit.id),
    open: null,
    rings: snapshot.rings.map((ring) => withAutoAnswer(ring, nowMs)),
    doors: snapshot.doors,
    ownConference: own?.conference ?? null,
    ownParticipant: own?.id ?? null,
    leftBehind: null,
    slots: [],
    parting: null,
  };
}

/** The same client again: keeps what a snapshot does not carry. */
export function resync(old: Replica, snapshot: Snapshot, nowMs: number): Replica {
  const fresh = fromSnapshot(old.me, snapshot, nowMs + old.clockOffsetMs, nowMs);
  // A ring that was there already goes on with its countdown.
  const rings = fresh.rings.map((ring) => old.rings.find((known) => known.invitation === ring.invitation) ?? ring);
  const stays = fresh.ownParticipant !== null && fresh.ownParticipant === old.ownParticipant;
  // Shown as it was until the server sends it anew, with what the list says of it today.
  const open = old.open === null ? null : refreshed(old.open, fresh.incidents.get(old.open.incident));
  return { ...fresh, open, rings, slots: stays ? old.slots : [], parting: old.parting };
}

/** The page shows the dossier of this incident, or of none. */
export function opened(replica: Replica, incident: IncidentId | null): Replica {
  if (incident === null) return { ...replica, open: null };
  return replica.open?.incident === incident ? replica : { ...replica, open: { incident, dossier: null } };
}

/** A dossier arrived; one that is no longer open is only news of its incident. */
export function withDossier(replica: Replica, dossier: Dossier): Replica {
  const { incident } = dossier;
  return {
    ...replica,
    incidents: put(replica.incidents, incident.id, incident),
    open: replica.open?.incident === incident.id ? { incident: incident.id, dossier } : replica.open,
  };
}

function withIncident(replica: Replica, incident: Incident): Replica {
  return {
    ...replica,
    incidents: put(replica.incidents, incident.id, incident),
    open: replica.open?.incident === incident.id ? refreshed(replica.open, incident) : replica.open,
  };
}

function refreshed(open: OpenDossier, incident: Incident | undefined): OpenDossier {
  if (open.dossier === null || incident === undefined) return open;
  return { ...open, dossier: { ...open.dossier, incident } };
}

/** Says that the own call or answer was carried out, before or after the pushes about it. */
export function entered(replica: Replica, conference: ConferenceId, participant: ParticipantId | null): Replica {
  const own = participant ?? findOwn(replica.participants, replica.me.account, conference);
  return {
    ...replica,
    ownConference: conference,
    ownParticipant: own,
    leftBehind: null,
    slots: replica.ownConference === conference ? replica.slots : [],
    parting: null,
  };
}

/** The own call is over, by the user's own doing or as told by `parting`. */
export function parted(replica: Replica, parting: Parting | null): Replica {
  return { ...replica, ownConference: null, ownParticipant: null, leftBehind: null, slots: [], parting };
}

export function applyPush(replica: Replica, push: Push, nowMs: number): Replica {
  switch (push.type) {
    case "sitePresence": {
      const site = replica.sites.get(push.site);
      if (site === undefined) return replica;
      return { ...replica, sites: put(replica.sites, push.site, { ...site, presence: push.presence }) };
    }
    case "personPresence": {
      const person = replica.people.get(push.account);
      if (person === undefined) return replica;
      return { ...replica, people: put(replica.people, push.account, { ...person, presence: push.presence }) };
    }
    case "ring": {
      const others = replica.rings.filter((ring) => ring.invitation !== push.ring.invitation);
      return { ...replica, rings: [...others, withAutoAnswer(push.ring, nowMs)] };
    }
    case "ringStopped":
      return { ...replica, rings: replica.rings.filter((ring) => ring.invitation !== push.invitation) };
    case "conference":
      if (push.conference.state === "ended") return forget(replica, push.conference.id, null);
      return { ...replica, conferences: put(replica.conferences, push.conference.id, push.conference) };
    case "invitation":
      return { ...replica, invitations: put(replica.invitations, push.invitation.id, push.invitation) };
    case "participant":
      return withParticipant(replica, push.participant);
    case "doors":
      return { ...replica, doors: push.doors };
    case "stay":
      return entered(replica, push.conference, push.participant);
    case "conferenceEnded":
      return forget(replica, push.conference, push.endedBy);
    case "removed": {
      // A word about an earlier call must not end the present one.
      if (replica.ownConference !== null && push.conference !== replica.ownConference) return replica;
      const title = replica.conferences.get(push.conference)?.title ?? "";
      return parted(replica, { type: "removed", title, byName: push.byName, reason: push.reason });
    }
    case "slots":
      return push.conference === replica.ownConference ? { ...replica, slots: push.slots } : replica;
    case "incident":
      return withIncident(replica, push.incident);
    case "pursuit":
      return { ...replica, pursuits: put(replica.pursuits, push.pursuit.id, push.pursuit) };
    case "dossier":
      return withDossier(replica, push.dossier);
    case "resync":
      return resync(replica, push.snapshot, nowMs);
    // Not state: shown as they come (vitals), or acted upon (media, session, books).
    case "changed":
    case "conducted":
    case "speaking":
    case "quality":
    case "slotQuality":
    case "sendLayers":
    case "speechRate":
    case "overload":
    case "journal":
    case "talk":
    case "mediaLost":
    case "signedOut":
      return replica;
    default:
      push satisfies never;
      return replica;
  }
}

function withParticipant(replica: Replica, participant: Participant): Replica {
  const participants = put(replica.participants, participant.id, participant);
  const next = { ...replica, participants };
  if (participant.conference !== replica.ownConference) return next;
  if (participant.id === replica.ownParticipant && participant.state === "left") {
    return { ...parted(next, null), leftBehind: participant.conference };
  }
  // Called into a higher one: what is told of that one brings us in.
  if (participant.id === replica.ownParticipant && participant.state === "held") return parted(next, null);
  if (replica.ownParticipant !== null) return next;
  return { ...next, ownParticipant: findOwn(participants, replica.me.account, participant.conference) };
}

function forget(replica: Replica, conference: ConferenceId, endedBy: AccountId | null): Replica {
  const title = replica.conferences.get(conference)?.title ?? "";
  const next: Replica = {
    ...replica,
    conferences: without(replica.conferences, (other) => other.id === conference),
    invitations: without(replica.invitations, (invitation) => invitation.conference === conference),
    participants: without(replica.participants, (participant) => participant.conference === conference),
    pursuits: without(replica.pursuits, (pursuit) => pursuit.conference === conference),
    rings: replica.rings.filter((ring) => ring.conference !== conference),
  };
  if (replica.ownConference !== conference && replica.leftBehind !== conference) return next;
  // Whoever ended it needs no notice of it.
  if (endedBy === replica.me.account) return parted(next, null);
  const byName = endedBy === null ? null : accountName(replica, endedBy);
  return parted(next, { type: "ended", title, byName });
}

/** The best name there is for an account: its place in a call, its person, else its login. */
export function accountName(replica: Replica, account: AccountId): string {
  for (const participant of replica.participants.values()) {
    if (participant.account === account) return participant.name;
  }
  return replica.people.get(account)?.name ?? account;
}

/** In the call with media, or coming; not one whose place is only kept. */
export function isPresent({ state }: Participant): boolean {
  return state === "in" || state === "joining";
}

function findOwn(
  participants: ReadonlyMap<ParticipantId, Participant>,
  account: AccountId,
  conference: ConferenceId,
): ParticipantId | null {
  let own: ParticipantId | null = null;
  for (const participant of participants.values()) {
    if (participant.conference === conference && participant.account === account && isPresent(participant)) {
      own = participant.id;
    }
  }
  return own;
}

function withAutoAnswer(ring: Ring, nowMs: number): OwnRing {
  return { ...ring, autoAnswerAtMs: ring.autoAnswerInMs === null ? null : nowMs + ring.autoAnswerInMs };
}

function keyed<K, V>(values: readonly V[], key: (value: V) => K): ReadonlyMap<K, V> {
  return new Map(values.map((value) => [key(value), value]));
}

function put<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value);
}

function without<K, V>(map: ReadonlyMap<K, V>, gone: (value: V) => boolean): ReadonlyMap<K, V> {
  return new Map([...map].filter(([, value]) => !gone(value)));
}
