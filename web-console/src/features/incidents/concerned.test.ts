import { describe, expect, test } from "vitest";

import type { DirectoryPerson } from "../../protocol/generated/DirectoryPerson";
import type { DirectorySite } from "../../protocol/generated/DirectorySite";
import type { Responder } from "../../protocol/generated/Responder";
import type { Target } from "../../protocol/generated/Target";
import type { Tier } from "../../protocol/generated/Tier";
import { candidates, concerned, keyOf } from "./concerned";

function site(code: string, tier: Tier, parent: string | null, commanded: boolean): [string, DirectorySite] {
  const place = { longitude: 106.8, latitude: 32.2 };
  return [code, { code, name: `名-${code}`, tier, parent, place, presence: commanded ? "online" : null, commanded }];
}

function person(account: string, at: string): [string, DirectoryPerson] {
  return [account, { account, name: account, role: "field", site: at, presence: "online" }];
}

/** As the township 101 sees the county. */
const SITES = new Map([
  site("1", "county", null, false),
  site("101", "township", "1", false),
  site("102", "township", "1", false),
  site("101001", "community", "101", true),
  site("101002", "community", "101", true),
]);
const PEOPLE = new Map([person("patrol", "101"), person("grid", "101002")]);
const ME = { account: "101", site: "101" };

const responder = (who: Target): Responder => ({ who, name: "", state: "assigned", assignedAtMs: 0, stateAtMs: 0 });
const keys = (targets: readonly Target[]) => targets.map(keyOf);

describe("a call about an incident", () => {
  test("is for its site and all who were sent: ordered below, asked elsewhere, never ourselves", () => {
    const responders = [
      { type: "site", code: "101" },
      { type: "site", code: "102" },
      { type: "person", account: "patrol" },
      { type: "person", account: "101" },
      { type: "site", code: "101001" },
      { type: "person", account: "stranger" },
    ] satisfies Target[];
    const { orders, questions } = concerned({ incident: { site: "101001" }, responders: responders.map(responder) }, ME, SITES, PEOPLE);
    expect(keys(orders)).toEqual(["site-101001", "person-patrol"]);
    expect(keys(questions)).toEqual(["site-102", "person-stranger"]);
  });

  test("is for nobody when we are all there is", () => {
    expect(concerned({ incident: { site: "101" }, responders: [] }, ME, SITES, PEOPLE)).toEqual({ orders: [], questions: [] });
  });
});

describe("who can be sent", () => {
  test("own site and below, those of the incident's place first", () => {
    const list = candidates({ site: "101002" }, ME, SITES, PEOPLE);
    expect(list.map(({ target, near }) => [keyOf(target), near])).toEqual([
      ["site-101", true],
      ["person-patrol", true],
      ["site-101002", true],
      ["person-grid", true],
      ["site-101001", false],
    ]);
  });

  test("what is below the incident's site is of its place, too", () => {
    const list = candidates({ site: "101" }, ME, SITES, PEOPLE);
    expect(list.every((one) => one.near)).toBe(true);
    expect(list).toHaveLength(5);
  });
});
