import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";

import { Connection, type ConnectionPhase, type Socket, type Welcome } from "./connection";
import { allowAutoAnswer, deviceStore, settleDevice } from "./device";
import { RefusedError } from "./errors";
import type { Book } from "./generated/Book";
import type { Conduct } from "./generated/Conduct";
import type { ConductNotice } from "./generated/ConductNotice";
import type { ConferenceId } from "./generated/ConferenceId";
import type { IceServer } from "./generated/IceServer";
import type { IncidentId } from "./generated/IncidentId";
import type { InvitationId } from "./generated/InvitationId";
import type { JournalState } from "./generated/JournalState";
import type { Login } from "./generated/Login";
import type { Me } from "./generated/Me";
import type { MissReason } from "./generated/MissReason";
import type { PlanId } from "./generated/PlanId";
import type { Push } from "./generated/Push";
import type { Refusal } from "./generated/Refusal";
import type { Reply } from "./generated/Reply";
import type { Request } from "./generated/Request";
import type { SendLayer } from "./generated/SendLayer";
import type { SentTrack } from "./generated/SentTrack";
import type { StayReason } from "./generated/StayReason";
import type { Target } from "./generated/Target";
import * as http from "./http";
import { type NetworkChange, watchNetwork } from "./network";
import { turnPushOff } from "./push";
import { applyPush, entered, fromSnapshot, opened, parted, type Replica, resync, withDossier } from "./replica";
import { forgetTalk, hearTalk } from "./talk";
import { Vitals } from "./vitals";

const TOKEN_KEY = "liandong.resume";
/** In the address behind the #, of a one-time link. */
const LINK_KEY = "link";
/** A half-open TCP connection tells a client that only listens nothing; so it asks. */
const PROBE_EVERY_MS = 10_000;
const PROBE_TIMEOUT_MS = 4_000;
/** What the server takes in one call or invitation. */
const MAX_TARGETS = 64;

export type Session =
  | { state: "checking" }
  /** The server did not answer whether there is a session; asked again by itself. */
  | { state: "unreached" }
  | { state: "signedOut"; refusal: Refusal | null }
  /** Signed in, but the role must have a second factor before anything else. */
  | { state: "enrolling" }
  | { state: "signedIn"; me: Me };

/** Told after the stores: what media has to act upon. */
export type ClientEvent =
  | { type: "welcomed"; resumed: boolean }
  | { type: "mediaLost"; conference: ConferenceId }
  | { type: "sendLayers"; conference: ConferenceId; track: SentTrack; layers: readonly SendLayer[] }
  | { type: "speechRate"; conference: ConferenceId; bitsPerSecond: number | null }
  /** Another network than before; or the same with another rate. */
  | { type: "networkChanged" }
  | { type: "uplinkChanged" }
  /** Somebody in the own call was moved, held, or came in from above. */
  | { type: "conducted"; notice: ConductNotice }
  /** Brought into a call that nobody here asked for at this moment. */
  | { type: "seated"; reason: StayReason }
  /** A ring at this client ended unanswered. */
  | { type: "ringMissed"; fromSiteName: string; reason: MissReason };

export const sessionStore = createStore<Session>(() => ({ state: "checking" }));
export const linkStore = createStore<ConnectionPhase>(() => ({ phase: "off" }));
/** Empty until the first welcome. */
export const replicaStore = createStore<{ replica: Replica | null }>(() => ({ replica: null }));
/** How much video the media server holds back because it has too much to do; 0: nothing. */
export const overloadStore = createStore<{ level: number }>(() => ({ level: 0 }));
/** Whether orders can be carried out. */
export const journalStore = createStore<{ state: JournalState }>(() => ({ state: "well" }));
/** How often each book has changed, as far as we were told; what shows it asks for it anew. */
const bookStore = createStore<Record<Book, number>>(() => ({ plans: 0, roster: 0 }));
export const vitals = new Vitals();

/** Fifty sites that answer at once send hundreds of pushes; the page is drawn anew about 30 times a second. */
const PUBLISH_AFTER_MS = 33;
/** What is known, perhaps a moment before it is shown. */
let latest: Replica | null = null;
let publishing: ReturnType<typeof setTimeout> | undefined;
let servers: readonly IceServer[] = [];

const eventListeners = new Set<(event: ClientEvent) => void>();

export function onClientEvent(listener: (event: ClientEvent) => void): () => void {
  eventListeners.add(listener);
  return () => eventListeners.delete(listener);
}

const connection = new Connection({
  open: () => new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`) as Socket,
  device: () => deviceStore.getState(),
  participant: () => latest?.ownParticipant ?? null,
  random: Math.random,
  newKey: () => crypto.randomUUID(),
  token: {
    read: () => sessionStorage.getItem(TOKEN_KEY),
    write: (token) =>
      token === null ? sessionStorage.removeItem(TOKEN_KEY) : sessionStorage.setItem(TOKEN_KEY, token),
  },
  onPhase: (phase) => linkStore.setState(phase, true),
  onWelcome: welcomed,
  onPush: pushed,
  onShutOut: signedOut,
  onUnreached: () => void checkSession(),
});

function welcomed(welcome: Welcome): void {
  const now = Date.now();
  servers = welcome.iceServers;
  // Said anew by a server with which it still is so.
  overloadStore.setState({ level: 0 });
  journalStore.setState({ state: "well" });
  const old = latest;
  const replica =
    old !== null && old.me.account === welcome.me.account
      ? { ...resync(old, welcome.snapshot, now), me: welcome.me, clockOffsetMs: welcome.serverTimeMs - now }
      : fromSnapshot(welcome.me, welcome.snapshot, welcome.serverTimeMs, now);
  publish(replica);
  void askForDossier().catch(() => undefined); // asked for again with the next welcome
  // What changed while there was no line was not told.
  bookChanged("plans");
  bookChanged("roster");
  tell({ type: "welcomed", resumed: welcome.resumed });
}

function pushed(push: Push): void {
  vitals.apply(push);
  const stopped = push.type === "ringStopped" ? ringOf(push.invitation) : undefined;
  change((replica) => applyPush(replica, push, Date.now()), PUBLISH_AFTER_MS);
  if (push.type === "mediaLost" || push.type === "sendLayers" || push.type === "speechRate") tell(push);
  if (push.type === "conducted" && push.conference === latest?.ownConference) tell({ type: "conducted", notice: push.notice });
  if (push.type === "stay") tell({ type: "seated", reason: push.reason });
  if (push.type === "resync") void askForDossier().catch(() => undefined);
  if (push.type === "talk") hearTalk(push.news);
  if (push.type === "changed") bookChanged(push.book);
  if (push.type === "overload") overloadStore.setState({ level: push.level });
  if (push.type === "journal") journalStore.setState({ state: push.state });
  if (push.type === "ringStopped" && push.reason !== null && stopped !== undefined) {
    tell({ type: "ringMissed", fromSiteName: stopped.fromSiteName, reason: push.reason });
  }
  if (push.type === "signedOut") signedOut(push.refusal);
}

function bookChanged(book: Book): void {
  bookStore.setState((counts) => ({ [book]: counts[book] + 1 }));
}

/** A number that is another one when the book has changed. */
export function useBook(book: Book): number {
  return useStore(bookStore, (counts) => counts[book]);
}

function ringOf(invitation: InvitationId) {
  return latest?.rings.find((ring) => ring.invitation === invitation);
}

function tell(event: ClientEvent): void {
  for (const listener of eventListeners) listener(event);
}

/** Changes what is known; shown at once, or together with what else comes within `delayMs`. */
function change(step: (replica: Replica) => Replica, delayMs = 0): void {
  if (latest === null) return;
  const before = latest;
  latest = step(before);
  if (latest === before) return;
  const moved = latest.ownConference !== before.ownConference;
  if (moved) vitals.clear();
  // Media follow the own stay, and must not lag behind.
  if (moved || delayMs === 0) publish(latest);
  else publishing ??= setTimeout(() => publish(latest), delayMs);
}

function publish(replica: Replica | null): void {
  clearTimeout(publishing);
  publishing = undefined;
  latest = replica;
  replicaStore.setState({ replica });
}

function signedIn(me: Me): void {
  settleDevice(me.role);
  // Another account's knowledge; nothing shows it while nobody is signed in.
  publish(null);
  forgetTalk();
  sessionStore.setState({ state: "signedIn", me }, true);
  connection.start();
}

function signedOut(refusal: Refusal | null): void {
  connection.stop();
  change((replica) => parted(replica, null));
  sessionStore.setState({ state: "signedOut", refusal }, true);
}

function enrolling(): void {
  connection.stop();
  sessionStore.setState({ state: "enrolling" }, true);
}

/** The second factor is set up now. */
export function enrolled(): Promise<void> {
  return check();
}

/** No line to signaling: because the server no longer knows us? */
async function checkSession(): Promise<void> {
  try {
    await http.whoAmI();
  } catch (error) {
    if (!(error instanceof RefusedError)) return;
    if (error.refusal.code === "notSignedIn") signedOut(error.refusal);
    if (error.refusal.code === "enrolFirst") enrolling();
  }
}

/** Asks over the line to signaling whether it still carries; if not, it is opened anew. */
export function probeLine(timeoutMs?: number): Promise<void> {
  return connection.probe(timeoutMs);
}

/** What an external relay offers, for clients whose network lets nothing else through. */
export function iceServers(): RTCIceServer[] {
  return [...servers];
}

function networkChanged(change: NetworkChange): void {
  switch (change) {
    case "gone":
      connection.distrust();
      return;
    case "back":
      // Some browsers say it without having said that it was gone: then the line may be sound.
      if (linkStore.getState().phase === "online") void probeLine();
      else connection.renew();
      tell({ type: "networkChanged" });
      return;
    case "moved":
      connection.renew();
      tell({ type: "networkChanged" });
      return;
    case "rate":
      tell({ type: "uplinkChanged" });
      return;
    default:
      change satisfies never;
  }
}

/** Called once by the page: finds out whether there is a session. */
export async function begin(): Promise<void> {
  setInterval(() => void probeLine(PROBE_TIMEOUT_MS), PROBE_EVERY_MS);
  watchNetwork(networkChanged);
  document.addEventListener("visibilitychange", () => connection.hurry());
  const link = new URLSearchParams(location.hash.slice(1)).get(LINK_KEY);
  if (link === null) await check();
  else await redeem(link);
}

/** A one-time link was scanned: good once, so it goes from the address at once. */
async function redeem(token: string): Promise<void> {
  history.replaceState(null, "", location.pathname);
  try {
    signedIn(await http.loginByLink(token));
  } catch (error) {
    if (error instanceof RefusedError) signedOut(error.refusal);
    else await check();
  }
}

async function check(): Promise<void> {
  try {
    signedIn(await http.whoAmI());
  } catch (error) {
    if (error instanceof RefusedError) {
      if (error.refusal.code === "enrolFirst") enrolling();
      else sessionStore.setState({ state: "signedOut", refusal: null }, true);
      return;
    }
    sessionStore.setState({ state: "unreached" }, true);
    setTimeout(() => void check(), 2_000);
  }
}

export async function signIn(credentials: Login): Promise<void> {
  signedIn(await http.login(credentials));
}

export async function signOut(): Promise<void> {
  signedOut(null);
  // Whoever has signed out is not told of rings on this browser any more. Without a line the messages stay on.
  await turnPushOff().catch(() => undefined);
  await http.logout();
}

/** The user does not want to wait for the next attempt. */
export function reconnectNow(): void {
  connection.hurry();
}

/** The device may (not) answer by itself; the server learns it by a new `Hello`. */
export function changeAutoAnswer(allowed: boolean): void {
  allowAutoAnswer(allowed);
  connection.distrust();
}

/** A request that is no order: negotiation, wishes. */
export function ask(request: Request, timeoutMs?: number): Promise<Reply> {
  return connection.request(request, timeoutMs);
}

/** Any order about a call or a party in it. Acts once, also when the line breaks meanwhile. */
export function order(request: Request): Promise<Reply> {
  return connection.order(request);
}

/** Rings the targets: into the own call if there is one, else into a new one. */
export async function ring(targets: Target[], ordered: boolean): Promise<void> {
  const conference = latest?.ownConference ?? null;
  if (conference !== null) {
    await order({ type: "invite", conference, targets, ordered });
    return;
  }
  const reply = await order({ type: "call", targets, title: null, ordered });
  if (reply.type === "called") change((replica) => entered(replica, reply.conference, null));
}

/** One step of conducting a conference. */
export async function conduct(conference: ConferenceId, step: Conduct): Promise<void> {
  await order({ type: "conduct", conference, step });
}

/** Comes into a call by ourselves; or waits in its lobby until somebody admits us. */
export async function enter(conference: ConferenceId, step: Extract<Conduct, { type: "enter" | "observe" }>): Promise<void> {
  const reply = await order({ type: "conduct", conference, step });
  if (reply.type === "accepted") change((replica) => entered(replica, reply.conference, reply.participant));
}

/** The page shows this incident's dossier from now on, kept up to date by the server; or no longer any. */
export async function openIncident(incident: IncidentId | null): Promise<void> {
  const open = latest?.open ?? null;
  // Asked for again if it did not come.
  if (open === null ? incident === null : open.incident === incident && open.dossier !== null) return;
  change((replica) => opened(replica, incident));
  if (incident !== null) await askForDossier();
  // A server that does not hear it tells of a dossier that nobody looks at; no more.
  else await ask({ type: "openIncident", incident: null }).catch(() => undefined);
}

/** While there is no line nothing is asked: the next welcome does it. */
async function askForDossier(): Promise<void> {
  const incident = latest?.open?.incident ?? null;
  if (incident === null || linkStore.getState().phase !== "online") return;
  try {
    const reply = await ask({ type: "openIncident", incident });
    if (reply.type === "dossier") change((replica) => withDossier(replica, reply.dossier));
  } catch (error) {
    // Unknown, or no longer for our eyes: nothing to show.
    if (error instanceof RefusedError) change((replica) => (replica.open?.incident === incident ? opened(replica, null) : replica));
    throw error;
  }
}

/** Calls about an incident: first those whom we order, then the others, who are asked; into the own call if it is about it. */
export async function ringAbout(incident: IncidentId, title: string, orders: Target[], questions: Target[]): Promise<void> {
  const own = latest?.ownConference ?? null;
  let conference = own !== null && latest?.conferences.get(own)?.incident === incident ? own : null;
  const portions = [...portionsOf(orders, true), ...portionsOf(questions, false)];
  let rung = false;
  let refused: unknown = null;
  for (const { targets, ordered } of portions) {
    if (conference !== null) {
      try {
        await order({ type: "invite", conference, targets, ordered });
        rung = true;
      } catch (error) {
        // Those of one portion may all be there while others are absent.
        if (!(error instanceof RefusedError) || error.refusal.code !== "alreadyThere") throw error;
        refused = error;
      }
      continue;
    }
    const reply = await order({ type: "call", targets, title, ordered, incident });
    if (reply.type !== "called") return;
    const called = reply.conference;
    conference = called;
    rung = true;
    change((replica) => entered(replica, called, null));
  }
  if (!rung && refused !== null) throw refused;
}

/** Runs the plan on the incident; the own call is from then on that of the plan. */
export async function startPlan(plan: PlanId, incident: IncidentId): Promise<void> {
  const reply = await order({ type: "plan", order: { type: "start", plan, incident } });
  if (reply.type === "called") change((replica) => entered(replica, reply.conference, null));
}

function portionsOf(targets: readonly Target[], ordered: boolean): { targets: Target[]; ordered: boolean }[] {
  const portions = [];
  for (let from = 0; from < targets.length; from += MAX_TARGETS) {
    portions.push({ targets: targets.slice(from, from + MAX_TARGETS), ordered });
  }
  return portions;
}

export async function accept(invitation: InvitationId): Promise<void> {
  const reply = await order({ type: "accept", invitation });
  if (reply.type !== "accepted") return;
  change((replica) => ({
    ...entered(replica, reply.conference, reply.participant),
    rings: replica.rings.filter((ring) => ring.invitation !== invitation),
  }));
}

export async function decline(invitation: InvitationId): Promise<void> {
  change((replica) => ({ ...replica, rings: replica.rings.filter((ring) => ring.invitation !== invitation) }));
  await order({ type: "decline", invitation });
}

/** Hangs up at once; the server hears of it as soon as the line allows. */
export async function leave(): Promise<void> {
  const conference = latest?.ownConference ?? null;
  if (conference === null) return;
  change((replica) => parted(replica, null));
  await order({ type: "leave", conference });
}

export function dismissParting(): void {
  change((replica) => ({ ...replica, parting: null }));
}

/** What the server has told, as far as `select` looks at it. Only below the signed-in shell. */
export function useReplica<T>(select: (replica: Replica) => T): T {
  return useStore(replicaStore, ({ replica }) => {
    if (replica === null) throw new Error("no welcome yet");
    return select(replica);
  });
}
