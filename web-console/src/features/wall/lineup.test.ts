import { describe, expect, test } from "vitest";

import type { DirectorySite } from "../../protocol/generated/DirectorySite";
import type { Participant } from "../../protocol/generated/Participant";
import { laidOut, lineUp, mayDirect, othersIn } from "./lineup";

function party(id: number, site: string, change: Partial<Participant> = {}): Participant {
  return {
    id,
    conference: 1,
    account: site,
    site,
    name: site,
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

function site(code: string, commanded: boolean): DirectorySite {
  return { code, name: code, tier: "township", parent: null, place: { longitude: 0, latitude: 0 }, presence: null, commanded };
}

const ids = (parties: readonly Participant[]) => parties.map((one) => one.id);
const SIXTY = Array.from({ length: 60 }, (_, index) => party(index + 1, String(1000 + index)));

describe("who is on the wall", () => {
  test("everybody else of the call who has not left, in the order of the tree", () => {
    const all = [party(1, "a"), party(2, "c"), party(3, "b"), party(4, "d", { state: "left" }), party(5, "e", { conference: 2 })];
    expect(ids(othersIn(new Map(all.map((one) => [one.id, one])), 1, 1))).toEqual([3, 2]);
  });

  test("all fit on one page", () => {
    const lineup = lineUp(SIXTY.slice(0, 49), new Set(), 49, 0);
    expect(lineup).toMatchObject({ page: 0, pages: 1 });
    expect(lineup.shown).toHaveLength(49);
  });

  test("more than slots: pages", () => {
    const second = lineUp(SIXTY, new Set(), 49, 1);
    expect(second.pages).toBe(2);
    expect(ids(second.shown)).toEqual(SIXTY.slice(49).map((one) => one.id));
    expect(lineUp(SIXTY, new Set(), 49, 9).page).toBe(1);
  });

  test("the pinned come first and stay on every page", () => {
    const pinned = new Set([50, 7]);
    for (const page of [0, 1, 2]) {
      const lineup = lineUp(SIXTY, pinned, 16, page);
      expect(ids(lineup.shown).slice(0, 2)).toEqual([7, 50]);
      expect(lineup.shown.length).toBeLessThanOrEqual(16);
      expect(new Set(ids(lineup.shown)).size).toBe(lineup.shown.length);
    }
  });

  test("who is large by order keeps a place among more pinned than slots", () => {
    const lineup = lineUp(SIXTY, new Set(ids(SIXTY)), 4, 0, 42);
    expect(lineup.shown).toHaveLength(4);
    expect(lineup.shown[0]?.id).toBe(42);
  });

  test("whose place is only kept, and who listens in, has no tile", () => {
    const all = [party(1, "a"), party(2, "b", { state: "held" }), party(3, "c", { role: "observer" }), party(4, "d")];
    expect(ids(othersIn(new Map(all.map((one) => [one.id, one])), 1, 1))).toEqual([4]);
  });

  test("more pinned than slots, and no slots at all, break nothing", () => {
    expect(lineUp(SIXTY, new Set(ids(SIXTY)), 4, 0).shown).toHaveLength(4);
    expect(lineUp(SIXTY, new Set(), 0, 0).shown).toHaveLength(1);
    expect(lineUp([], new Set(), 4, 3)).toEqual({ shown: [], page: 0, pages: 1 });
  });
});

describe("who may direct whom", () => {
  const sites = new Map([site("below", true), site("beside", false)].map((one) => [one.code, one]));
  const people = new Map([["patrol", true]]);

  test("the chair everybody, a site what is below it and its own field units", () => {
    expect(mayDirect(party(1, "x", { role: "chair" }), party(2, "beside"), sites, people)).toBe(true);
    expect(mayDirect(party(1, "x", { role: "coChair" }), party(2, "beside"), sites, people)).toBe(true);
    expect(mayDirect(party(1, "x", { role: "coChair" }), party(2, "beside", { role: "chair" }), sites, people)).toBe(false);
    expect(mayDirect(party(1, "x"), party(2, "below"), sites, people)).toBe(true);
    expect(mayDirect(party(1, "x"), party(2, "beside"), sites, people)).toBe(false);
    const patrol = party(3, "x", { account: "patrol" });
    expect(mayDirect(party(1, "x"), patrol, sites, people)).toBe(true);
    expect(mayDirect(patrol, party(1, "x"), sites, people)).toBe(false);
  });
});

test("who is laid out for all stands first, in that order, once", () => {
  const others = [party(1, "a"), party(2, "b"), party(3, "c")];
  const at = (code: string) => ({ type: "site", code }) as const;
  expect(laidOut(others, [at("c"), at("x"), at("a"), at("c")]).map((one) => one.id)).toEqual([3, 1, 2]);
  expect(laidOut(others, [])).toEqual(others);
});
