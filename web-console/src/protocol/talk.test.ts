import { expect, test } from "vitest";

import type { Talk } from "./generated/Talk";
import type { TalkGroup } from "./generated/TalkGroup";
import { applyNews, type TalkState } from "./talk";

const group = (id: number, name: string): TalkGroup => ({
  id,
  plan: {
    name,
    site: "1",
    members: [],
    area: null,
    priority: "routine",
    rules: { talkLimitS: 30, graceS: 3, mediaEndS: 4, queueLength: 8 },
  },
  sos: [],
  commanded: false,
  member: true,
  speaks: true,
});

const talker = { account: "a", name: "何建国", rank: "member" } as const;
const talk = (fromMs: number): Talk => ({ talker, fromMs, untilMs: fromMs + 1, end: "released" });

function after(...news: Parameters<typeof applyNews>[1][]): TalkState {
  return news.reduce<TalkState>(applyNews, new Map());
}

test("a change of the plan keeps the floor, and the whole replaces everything", () => {
  const floor = { group: 1, holder: { talker, sinceMs: 1, untilMs: 31_000, revoked: false }, queue: [] };
  const all = { type: "all", groups: [group(1, "一组"), group(2, "二组")] } as const;
  const changed = after({ ...all, groups: [...all.groups] }, { type: "floor", floor }, { type: "group", group: group(1, "甲组") });
  expect(changed.get(1)?.group.plan.name).toBe("甲组");
  expect(changed.get(1)?.floor.holder?.talker.name).toBe("何建国");
  const anew = applyNews(changed, { type: "all", groups: [group(2, "二组")] });
  expect([...anew.keys()]).toEqual([2]);
});

test("what is said of a group that is gone is passed over", () => {
  const gone = after({ type: "all", groups: [group(1, "一组")] }, { type: "gone", group: 1 });
  const standing = { type: "queued", position: 1 } as const;
  expect(applyNews(gone, { type: "standing", group: 1, standing })).toBe(gone);
});

test("the last twenty talks are kept, the newest last", () => {
  let state = after({ type: "all", groups: [group(1, "一组")] });
  for (let at = 0; at < 30; at += 1) state = applyNews(state, { type: "spoke", group: 1, talks: [talk(at)] });
  expect(state.get(1)?.talks.map((one) => one.fromMs)).toEqual(Array.from({ length: 20 }, (_, index) => index + 10));
});
