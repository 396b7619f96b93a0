// A real three-tier call: three Chromium processes and a phone-sized one, through the real server.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { Seat } from "./support/seat.ts";
import { Server } from "./support/server.ts";
import { until } from "./support/until.ts";

const TOWNSHIP = "511922101"; // 沙河镇
const COMMUNITY = "511922101001"; // 沙河社区
const ABSENT = "511922101002"; // 洛坪社区: nobody logs in there
const SILENT = "511922101003"; // 保宁社区: a terminal that nobody answers

describe("the county calls a township, its communities and a patrol phone", () => {
  let server: Server;
  let county: Seat;
  let township: Seat;
  let community: Seat;
  let phone: Seat;
  let everyone: Seat[];

  beforeAll(async () => {
    server = await Server.start();
    server.simulate("--sites", SILENT, "--answer", "never");
    county = await Seat.open(server, { account: "commander", colour: [200, 40, 40], hertz: 0 });
    township = await Seat.open(server, { account: TOWNSHIP, colour: [40, 180, 60], hertz: 0 });
    community = await Seat.open(server, { account: COMMUNITY, colour: [50, 70, 210], hertz: 440 });
    phone = await Seat.open(server, {
      account: "field1",
      colour: [220, 200, 60],
      hertz: 0,
      viewport: { width: 390, height: 844 },
    });
    everyone = [county, township, community, phone];
  });

  afterAll(async () => {
    for (const seat of everyone ?? []) await seat.close();
    await server?.stop();
  });

  test("all who are rung and answer are in the call", async () => {
    await until("the township is online in the tree", async () =>
      (await county.by(`tree-node-${TOWNSHIP}`).getAttribute("data-presence")) === "online");
    await county.by(`call-subtree-${TOWNSHIP}`).click();

    // The people in the township take the call; the community's terminal counts down and answers by itself.
    await township.by("ring-accept").click();
    await county.by("call-person-field1").click();
    await phone.by("ring-accept").click();

    for (const seat of everyone) {
      await until(`${seat.account} has three tiles`, async () => {
        const others = new Set((await seat.tiles()).map((tile) => tile.account));
        others.delete(seat.account);
        return others.size === 3;
      });
    }
  });

  test("in every page the right site is in each tile and its frames advance", async () => {
    for (const seat of everyone) {
      for (const other of everyone) if (other !== seat) await seat.sees(other);
    }
  });

  test("sound is received, and the speaking mark follows the speaker", async () => {
    const listeners = [county, township, phone];
    for (const seat of listeners) {
      const before = await seat.soundEnergy();
      await until(`${seat.account} hears the community`, async () => (await seat.soundEnergy()) > before + 0.01);
      await until(`${seat.account} sees who speaks`, async () => {
        const speaking = (await seat.tiles()).filter((tile) => tile.speaking).map((tile) => tile.account);
        return speaking.length === 1 && speaking[0] === COMMUNITY;
      });
    }
  });

  test("the invitation board shows who did not answer", async () => {
    const stateOf = (site: string) =>
      county.page.locator(`[data-testid^="invitation-"][data-target="${site}"]`).getAttribute("data-state");
    await until("the silent terminal did not answer", async () => (await stateOf(SILENT)) === "noAnswer", 60_000);
    await until("the empty site was unreachable", async () => (await stateOf(ABSENT)) === "unreachable", 60_000);
    expect(await stateOf(TOWNSHIP)).toBe("joined");
    expect(await stateOf(COMMUNITY)).toBe("joined");
  });

  test("mute all mutes", async () => {
    await county.by("mute-all").click();
    await until("the community's tile is marked muted", async () =>
      (await county.tiles()).some((tile) => tile.account === COMMUNITY && tile.muted));
    for (const seat of [county, township, phone]) {
      // What was on its way when the gate closed still plays out; then nothing more comes.
      let energy = await seat.soundEnergy();
      let silentLooks = 0;
      await until(`${seat.account} hears nothing more`, async () => {
        const before = energy;
        energy = await seat.soundEnergy();
        silentLooks = energy - before < 0.000_01 ? silentLooks + 1 : 0;
        return silentLooks === 10;
      });
    }
    await county.by("mute-all").click();
    const before = await county.soundEnergy();
    await until("the community is heard again", async () => (await county.soundEnergy()) > before + 0.01);
  });

  test("a site that is removed is gone, and is told why", async () => {
    const tile = county.page.locator(`[data-testid^="tile-"][data-account="${COMMUNITY}"]`);
    const participant = (await tile.getAttribute("data-testid"))?.replace("tile-", "");
    await tile.hover();
    await county.by(`tile-menu-${participant}`).click();
    await county.by(`remove-${participant}`).click();
    await county.by("remove-reason").fill("演练结束");
    await county.by("remove-confirm").click();

    for (const seat of [county, township, phone]) {
      await until(`the community is gone at ${seat.account}`, async () =>
        (await seat.tiles()).every((other) => other.account !== COMMUNITY));
    }
    await until("the community is told", async () => (await community.page.textContent("body"))?.includes("演练结束") ?? false);
    await county.sees(township);
  });

  test("no page had a script error", () => {
    for (const seat of everyone) expect(seat.errors, seat.account).toEqual([]);
  });
});
