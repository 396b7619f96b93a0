import { describe, expect, test } from "vitest";

import type { DirectoryPerson } from "../../protocol/generated/DirectoryPerson";
import type { DirectorySite } from "../../protocol/generated/DirectorySite";
import type { Presence } from "../../protocol/generated/Presence";
import type { Tier } from "../../protocol/generated/Tier";
import { type Row, rowsOf, siteAbove, tierCounts } from "./tree";

function site(code: string, tier: Tier, parent: string | null, presence: Presence | null, commanded = true): DirectorySite {
  return { code, name: `名${code}`, tier, parent, place: { longitude: 0, latitude: 0 }, presence, commanded };
}

const SITES = new Map(
  [
    site("1", "county", null, "online", false),
    site("11", "township", "1", "online"),
    site("111", "community", "11", "degraded"),
    site("112", "community", "11", "offline"),
    site("12", "township", "1", "offline"),
  ].map((one) => [one.code, one]),
);
const PEOPLE = new Map<string, DirectoryPerson>([
  ["field1", { account: "field1", name: "李强", role: "field", site: "11", presence: "online" }],
  ["field2", { account: "field2", name: "王芳", role: "field", site: "1", presence: "online" }],
]);

const look = (search = "", collapsed: string[] = []) =>
  rowsOf(SITES, PEOPLE, { search, collapsed: new Set(collapsed), own: "1" });
const keys = (rows: Row[]) => rows.map((row) => (row.type === "site" ? row.site.code : row.person.account));

describe("the lines of the tree", () => {
  test("sites with what is below them, then their people", () => {
    expect(keys(look())).toEqual(["1", "11", "111", "112", "field1", "12", "field2"]);
    expect(look().map((row) => row.level)).toEqual([1, 2, 3, 3, 3, 2, 2]);
  });

  test("counts what is below, and how much of it can be reached", () => {
    expect(look()[0]).toMatchObject({ below: 4, belowOnline: 2 });
  });

  test("a collapsed site hides what is below it, but a search looks there, too", () => {
    expect(keys(look("", ["11"]))).toEqual(["1", "11", "12", "field2"]);
    expect(keys(look("112", ["11"]))).toEqual(["1", "11", "112"]);
  });

  test("a search shows matches with the way to them, and all below a match", () => {
    expect(keys(look("李强"))).toEqual(["1", "11", "field1"]);
    expect(keys(look("名11"))).toEqual(["1", "11", "111", "112", "field1"]);
    expect(look("nothing")).toEqual([]);
  });

  test("field units of the own site are commanded", () => {
    const own = look().find((row) => row.type === "person" && row.person.account === "field2");
    expect(own).toMatchObject({ commanded: true });
  });

  test("a site whose parent is not known stands at the top", () => {
    const part = new Map([...SITES].filter(([code]) => code !== "1"));
    expect(look().length).toBeGreaterThan(0);
    const rows = rowsOf(part, new Map(), { search: "", collapsed: new Set(), own: "11" });
    expect(rows.filter((row) => row.level === 1)).toHaveLength(2);
  });
});

describe("figures", () => {
  test("each tier below by itself", () => {
    expect(tierCounts(SITES, "1")).toEqual([
      { tier: "township", online: 1, total: 2 },
      { tier: "community", online: 1, total: 2 },
    ]);
  });

  test("the site above, if there is one", () => {
    expect(siteAbove(SITES, "111")?.code).toBe("11");
    expect(siteAbove(SITES, "1")).toBeUndefined();
  });
});
