import { describe, expect, test } from "vitest";

import type { Conference } from "./generated/Conference";
import type { DirectorySite } from "./generated/DirectorySite";
import type { Dossier } from "./generated/Dossier";
import type { Incident } from "./generated/Incident";
import type { Me } from "./generated/Me";
import type { Participant } from "./generated/Participant";
import type { Push } from "./generated/Push";
import type { Ring } from "./generated/Ring";
import type { Snapshot } from "./generated/Snapshot";
import { applyPush, entered, fromSnapshot, opened, parted, type Replica, resync, withDossier } from "./replica";

const ME: Me = {
  account: "511922101",
  name: "沙河镇综治中心",
  role: "township",
  site: "511922101",
  siteName: "沙河镇综治中心",
  tier: "township",
  countyName: "南江县",
};
const NOW = 1_000_000;

const SITE: DirectorySite = {
  code: "511922101",
  name: "沙河镇综治中心",
  tier: "township",
  parent: "511922",
  place: { longitude: 106.8, latitude: 32.2 },
  presence: "offline",
  commanded: false,
};

const CONFERENCE: Conference = {
  id: 7,
  kind: "adHoc",
  state: "live",
  title: "防汛会商",
  calledBy: "commander",
  calledBySite: "511922",
  incident: null,
  startedAtMs: NOW,
  chair: 20,
  shown: [],
  allMuted: false,
  mode: "free",
  locked: false,
  lobby: false,
  knocks: [],
  address: null,
  spotlight: null,
  carousel: null,
  roll: null,
};

function participant(id: number, account: string, change: Partial<Participant> = {}): Participant {
  return {
    id,
    conference: 7,
    account,
    site: account,
    name: `名-${account}`,
    role: "speaker",
    state: "in",
    muted: false,
    sound: true,
    picture: true,
    handSinceMs: null,
    microphone: true,
    camera: true,
    microphoneOrder: null,
    cameraOrder: null,
    ...change,
  };
}

const RING: Ring = {
  invitation: 5,
  conference: 7,
  title: "",
  from: "commander",
  fromName: "陈",
  fromSite: "511922",
  fromSiteName: "南江县综治中心",
  autoAnswerInMs: 3_000,
  forced: null,
  deadlineMs: NOW + 30_000,
};

function snapshot(change: Partial<Snapshot> = {}): Snapshot {
  return {
    directory: { sites: [SITE], people: [] },
    conferences: [],
    invitations: [],
    participants: [],
    incidents: [],
    pursuits: [],
    rings: [],
    doors: [],
    ownParticipant: null,
    ...change,
  };
}

function replica(change: Partial<Snapshot> = {}): Replica {
  return fromSnapshot(ME, snapshot(change), NOW + 500, NOW);
}

function after(start: Replica, ...pushes: Push[]): Replica {
  return pushes.reduce((state, push) => applyPush(state, push, NOW), start);
}

/** In the call, as after an answer. */
function inCall(): Replica {
  const state = after(
    replica(),
    { type: "conference", conference: CONFERENCE },
    { type: "participant", participant: participant(20, "commander") },
    { type: "participant", participant: participant(21, ME.account) },
  );
  return entered(state, 7, 21);
}

describe("snapshots", () => {
  test("finds the own stay and the clock's offset", () => {
    const state = replica({ participants: [participant(21, ME.account)], ownParticipant: 21 });
    expect(state).toMatchObject({ ownConference: 7, ownParticipant: 21, clockOffsetMs: 500 });
  });

  test("a ring that is known keeps its countdown over a resync", () => {
    const rung = after(replica(), { type: "ring", ring: RING });
    expect(rung.rings[0]?.autoAnswerAtMs).toBe(NOW + 3_000);
    const later = resync(rung, snapshot({ rings: [RING] }), NOW + 2_000);
    expect(later.rings[0]?.autoAnswerAtMs).toBe(NOW + 3_000);
  });

  test("slots stay while the own stay is the same, and only then", () => {
    const state = after(inCall(), { type: "slots", conference: 7, slots: [20, null] });
    const same = snapshot({ participants: [participant(21, ME.account)], ownParticipant: 21 });
    expect(resync(state, same, NOW).slots).toEqual([20, null]);
    const other = snapshot({ participants: [participant(30, ME.account)], ownParticipant: 30 });
    expect(resync(state, other, NOW).slots).toEqual([]);
    expect(resync(state, snapshot(), NOW).ownConference).toBeNull();
  });
});

describe("pushes", () => {
  test("presence changes known sites only", () => {
    const start = replica();
    const online = after(start, { type: "sitePresence", site: SITE.code, presence: "online" });
    expect(online.sites.get(SITE.code)?.presence).toBe("online");
    expect(after(start, { type: "sitePresence", site: "unknown", presence: "online" })).toBe(start);
    expect(after(start, { type: "personPresence", account: "nobody", presence: "online" })).toBe(start);
  });

  test("a ring comes once and goes when it stops", () => {
    const rung = after(replica(), { type: "ring", ring: RING }, { type: "ring", ring: RING });
    expect(rung.rings).toHaveLength(1);
    expect(after(rung, { type: "ringStopped", invitation: 5, reason: "cancelled" }).rings).toEqual([]);
  });

  test("the own participant is found also when it is told after the reply to the call", () => {
    const called = entered(replica(), 7, null);
    expect(called.ownParticipant).toBeNull();
    const told = after(called, { type: "participant", participant: participant(21, ME.account) });
    expect(told.ownParticipant).toBe(21);
    const toldBefore = entered(after(replica(), { type: "participant", participant: participant(21, ME.account) }), 7, null);
    expect(toldBefore.ownParticipant).toBe(21);
  });

  test("slots of another conference are not ours", () => {
    expect(after(inCall(), { type: "slots", conference: 8, slots: [1] }).slots).toEqual([]);
  });

  test("what is no state changes none", () => {
    const state = inCall();
    expect(
      after(
        state,
        { type: "speaking", conference: 7, participants: [20] },
        { type: "quality", conference: 7, quality: [] },
        { type: "mediaLost", conference: 7 },
        { type: "signedOut", refusal: { code: "notSignedIn", message: "" } },
      ),
    ).toBe(state);
  });
});

describe("how a call ends", () => {
  const REMOVED: Push = { type: "removed", conference: 7, by: "commander", byName: "陈", reason: "演练结束" };

  test("removed: told by whom and why, whichever word comes first", () => {
    const expected = { type: "removed", title: "防汛会商", byName: "陈", reason: "演练结束" };
    const left: Push = { type: "participant", participant: participant(21, ME.account, { state: "left" }) };
    for (const pushes of [[REMOVED], [left, REMOVED], [REMOVED, left]]) {
      const state = after(inCall(), ...pushes);
      expect(state.parting).toEqual(expected);
      expect(state.ownConference).toBeNull();
    }
  });

  test("a late word about the last call does not end the present one", () => {
    const state = entered(inCall(), 9, 40);
    expect(after(state, REMOVED).ownConference).toBe(9);
  });

  test("ended: told by whom, forgotten with all that belongs to it", () => {
    const ended: Push = { type: "conferenceEnded", conference: 7, endedBy: "commander" };
    const state = after(inCall(), ended);
    expect(state.parting).toEqual({ type: "ended", title: "防汛会商", byName: "名-commander" });
    expect([...state.conferences, ...state.participants, ...state.invitations]).toEqual([]);
    const left: Push = { type: "participant", participant: participant(21, ME.account, { state: "left" }) };
    expect(after(inCall(), left, ended).parting).toMatchObject({ type: "ended" });
    expect(after(inCall(), { type: "conferenceEnded", conference: 7, endedBy: null }).parting).toMatchObject({ byName: null });
  });

  test("no notice to whoever ended it or left before", () => {
    expect(after(inCall(), { type: "conferenceEnded", conference: 7, endedBy: ME.account }).parting).toBeNull();
    const gone = parted(inCall(), null);
    expect(after(gone, { type: "conferenceEnded", conference: 7, endedBy: "commander" }).parting).toBeNull();
  });

  test("a conference that is told as ended is forgotten, too", () => {
    const state = after(inCall(), { type: "conference", conference: { ...CONFERENCE, state: "ended" } });
    expect(state.ownConference).toBeNull();
    expect(state.conferences.size).toBe(0);
  });
});

const INCIDENT: Incident = {
  id: 3,
  state: "reported",
  kind: "sudden",
  level: null,
  title: "河水漫堤",
  site: SITE.code,
  siteName: SITE.name,
  tier: "township",
  place: null,
  address: "",
  reporter: "field1",
  reporterName: "何建国",
  reportedAtMs: NOW,
  changedAtMs: NOW,
  commanderName: null,
  duplicateOf: null,
  conferences: [],
  sent: 0,
  onScene: 0,
  handles: true,
  ownResponse: null,
};

function dossier(change: Partial<Incident> = {}): Dossier {
  return { incident: { ...INCIDENT, ...change }, text: "约二十户", responders: [], files: [], timeline: [], alike: [], plans: [], runs: [] };
}

describe("incidents", () => {
  test("come with the snapshot and by pushes", () => {
    const start = replica({ incidents: [INCIDENT] });
    expect(start.incidents.get(3)).toEqual(INCIDENT);
    const state = after(
      start,
      { type: "incident", incident: { ...INCIDENT, state: "verified" } },
      { type: "incident", incident: { ...INCIDENT, id: 4 } },
    );
    expect([...state.incidents.values()].map(({ id, state }) => [id, state])).toEqual([
      [3, "verified"],
      [4, "reported"],
    ]);
    expect(resync(state, snapshot({ incidents: [INCIDENT] }), NOW).incidents.size).toBe(1);
  });

  test("an open dossier is shown when it comes, and changes with its incident", () => {
    const waiting = opened(replica({ incidents: [INCIDENT] }), 3);
    expect(waiting.open).toEqual({ incident: 3, dossier: null });
    const read = withDossier(waiting, dossier());
    expect(read.open?.dossier?.text).toBe("约二十户");
    const moved = after(read, { type: "incident", incident: { ...INCIDENT, state: "verified" } });
    expect(moved.open?.dossier?.incident.state).toBe("verified");
    const pushed = after(moved, { type: "dossier", dossier: dossier({ state: "dispatched" }) });
    expect(pushed.open?.dossier?.incident.state).toBe("dispatched");
    expect(pushed.incidents.get(3)?.state).toBe("dispatched");
    // The same again does not lose what is there.
    expect(opened(pushed, 3)).toBe(pushed);
    expect(opened(pushed, null).open).toBeNull();
  });

  test("a dossier that comes late does not take the place of the one that is open", () => {
    const state = after(opened(replica(), 4), { type: "dossier", dossier: dossier() });
    expect(state.open).toEqual({ incident: 4, dossier: null });
    expect(state.incidents.has(3)).toBe(true);
  });

  test("stays open over a resync, with today's word of its incident", () => {
    const state = withDossier(opened(replica({ incidents: [INCIDENT] }), 3), dossier());
    const later = resync(state, snapshot({ incidents: [{ ...INCIDENT, state: "dispatched" }] }), NOW);
    expect(later.open?.dossier?.text).toBe("约二十户");
    expect(later.open?.dossier?.incident.state).toBe("dispatched");
    expect(resync(state, snapshot(), NOW).open?.incident).toBe(3);
  });
});

describe("pre-emption and doors", () => {
  test("a place that is kept is no stay; giving it back is one", () => {
    const held = after(inCall(), { type: "participant", participant: participant(21, ME.account, { state: "held" }) });
    expect(held).toMatchObject({ ownConference: null, ownParticipant: null, parting: null });
    const back = after(
      held,
      { type: "participant", participant: participant(21, ME.account, { state: "joining" }) },
      { type: "stay", conference: 7, participant: 21, reason: { type: "givenBack" } },
    );
    expect(back).toMatchObject({ ownConference: 7, ownParticipant: 21 });
  });

  test("an answer that comes before the word of the held place is not undone by it", () => {
    const higher = entered(inCall(), 8, 30);
    const state = after(higher, { type: "participant", participant: participant(21, ME.account, { state: "held" }) });
    expect(state).toMatchObject({ ownConference: 8, ownParticipant: 30 });
  });

  test("doors are told as a whole", () => {
    const door = { conference: 9, title: "例会", fromSiteName: "南江县综治中心", state: "lobby" } as const;
    const state = after(replica(), { type: "doors", doors: [door] });
    expect(state.doors).toEqual([door]);
    expect(after(state, { type: "doors", doors: [] }).doors).toEqual([]);
  });
});
