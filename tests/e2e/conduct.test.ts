// A township's meeting is conducted, called by roll, and loses a site to the county's emergency for a while.
import { readFile } from "node:fs/promises";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { Seat } from "./support/seat.ts";
import { Server } from "./support/server.ts";
import { until } from "./support/until.ts";

const TOWNSHIP = "511922101"; // 沙河镇
const COMMUNITY = "511922101001"; // 沙河社区
const ABSENT = "511922101002"; // 洛坪社区: nobody logs in there

describe("a meeting with roles, a roll call and an emergency", () => {
  let server: Server;
  let county: Seat;
  let township: Seat;
  let community: Seat;
  let everyone: Seat[] = [];

  beforeAll(async () => {
    server = await Server.start();
    county = await Seat.open(server, {
      account: "commander",
      colour: [200, 40, 40],
      hertz: 0,
      viewport: { width: 1920, height: 1080 },
    });
    township = await Seat.open(server, {
      account: TOWNSHIP,
      colour: [40, 180, 60],
      hertz: 0,
      viewport: { width: 1920, height: 1080 },
    });
    community = await Seat.open(server, { account: COMMUNITY, colour: [50, 70, 210], hertz: 440 });
    everyone = [county, township, community];
  });

  afterAll(async () => {
    for (const seat of everyone) await seat.close();
    await server?.stop();
  });

  /** The community's line among the parties, as this page shows it. */
  const party = (seat: Seat) => seat.by("roster").locator(`[data-account="${COMMUNITY}"]`);
  const partyIs = (seat: Seat, what: string, attribute: string, value: string) =>
    until(`${seat.account} sees the community ${what}`, async () => (await party(seat).getAttribute(attribute)) === value);

  test("an incident is known before the meeting begins", async () => {
    await community.by("start-report").click();
    await community.by("kind-contingency").click();
    await community.by("report-title").fill("沙河社区三组进水");
    await community.by("report-submit").click();
    await until("the county is told", async () => (await county.by("new-incident").count()) === 1);
    await county.by("new-incident-open").click();
    await county.by("level-II").click();
    await county.by("order-submit").click();
    await until("it is verified", async () => (await county.by("dossier").getAttribute("data-state")) === "verified");
  });

  test("in a chaired meeting the community is closed until its hand is seen and the word is given", async () => {
    await township.by("overview-call-community").click();
    await township.sees(community);
    const before = await township.soundEnergy();
    await until("the township hears the community", async () => (await township.soundEnergy()) > before + 0.01);

    await township.by("tab-conduct").click();
    await township.by("mode-chaired").click();
    await partyIs(township, "as a listener", "data-role", "listener");
    await until("the community is told", async () => (await community.by("own-permission").getAttribute("data-kind")) === "closed");
    await until("its picture is covered", async () =>
      (await township.page.locator(`[data-testid^="tile-"][data-account="${COMMUNITY}"] video`).count()) === 0 ||
      (await township.page.locator(`[data-testid^="tile-"][data-account="${COMMUNITY}"]`).getAttribute("data-slot")) === "");
    let energy = await township.soundEnergy();
    let silentLooks = 0;
    await until("the township hears nothing more", async () => {
      const last = energy;
      energy = await township.soundEnergy();
      silentLooks = energy - last < 0.000_01 ? silentLooks + 1 : 0;
      return silentLooks === 10;
    });
    await township.picture("conduct-01-chaired");
    await community.picture("conduct-02-listener");

    await community.by("raise-hand").click();
    const hand = township.by("hands").locator(`[data-account="${COMMUNITY}"]`);
    await until("the hand is seen", async () => (await hand.count()) === 1);
    await township.picture("conduct-03-hand");
    await hand.locator('[data-testid^="permit-sound-"]').click();
    await until("the hand is down", async () => (await hand.count()) === 0);
    await until("the township hears the community again", async () => (await township.soundEnergy()) > energy + 0.01);
    await party(township).locator('[data-testid^="permit-picture-"]').click();
    await township.sees(community);
  });

  test("the roll says who is there, and what the media server really receives", async () => {
    await township.by("roll-call").click();
    await township.by("roll-parallel").click();
    const line = township.by(`roll-${COMMUNITY}`);
    await until("the community is present, seen and heard", async () =>
      (await line.getAttribute("data-state")) === "present" &&
      (await line.getAttribute("data-sound")) === "true" &&
      (await line.getAttribute("data-picture")) === "true");
    await until("who has no device is absent", async () =>
      (await township.by(`roll-${ABSENT}`).getAttribute("data-state")) === "absent", 60_000);
    await until("the roll is over", async () => (await township.by("roll").getAttribute("data-ended")) === "true");
    await township.picture("conduct-04-roll");
    const [download] = await Promise.all([township.page.waitForEvent("download"), township.by("roll-export").click()]);
    const sheet = await readFile((await download.path()) ?? "", "utf8");
    expect(sheet).toMatch(new RegExp(`${COMMUNITY},到,,已收到,已收到\r\n`));
    expect(sheet).toMatch(new RegExp(`${ABSENT},缺席,,未收到,未收到\r\n`));
  });

  test("the county listens in, and everybody sees who it is and why", async () => {
    await county.by("dossier-close").click();
    await county.page.locator('[data-testid^="observe-"]').click();
    await county.by("observe-reason").fill("检查汛前准备");
    await county.by("observe-confirm").click();
    for (const seat of [township, community]) {
      await until(`${seat.account} sees who listens in`, async () => (await seat.page.locator('[data-testid^="observer-"]').count()) === 1);
      await until(`${seat.account} is told why`, async () => (await seat.page.getByText("检查汛前准备").count()) > 0);
    }
    await county.sees(community);
    // Nothing of it is passed on, so there is nothing to switch.
    expect(await county.by("toggle-mic").count()).toBe(0);
    await township.picture("conduct-05-observed");
    await community.picture("conduct-05-observed-room");
    await county.picture("conduct-05-observer");
    expect((await township.tiles()).map((tile) => tile.account)).not.toContain("commander");
    await county.by("leave-call").click();
    await until("it is gone again", async () => (await township.page.locator('[data-testid^="observer-"]').count()) === 0);
    await county.by("tab-incidents").click();
    await county.by("incident-list").locator('li [data-testid^="incident-"]').first().click();
  });

  test("one site after the other is large on every wall, for as long as the chair likes", async () => {
    await township.by("carousel-start").click();
    await until("it shows the community", async () => ((await township.by("carousel").textContent()) ?? "").includes("沙河社区"));
    await township.picture("conduct-06-carousel");
    await township.by("carousel-stop").click();
    await until("it is over", async () => (await township.by("carousel").count()) === 0);
  });

  test("the county's emergency takes the community out, and it is back when that is over", async () => {
    await county.by("call-concerned").click();
    await partyIs(township, "held", "data-state", "held");
    await county.sees(community);
    await until("the community sees that its place is kept", async () =>
      (await community.page.locator('[data-testid^="held-"]').count()) === 1);
    await township.picture("conduct-07-held");
    await community.picture("conduct-08-in-emergency");

    await county.by("end-call").click();
    await county.by("end-confirm").click();
    await partyIs(township, "back", "data-state", "in");
    await township.sees(community);
    await township.picture("conduct-09-back");
  });

  test("a camera is switched off and on by order, and the device says by whom and why", async () => {
    const switchCamera = async (key: "cameraOff" | "cameraOn", reason: string) => {
      await party(township).locator('[data-testid^="party-menu-"]').click();
      await township.page.locator(`[data-testid^="party-${key}-"]`).click();
      await township.by("device-reason").fill(reason);
      await township.by("device-confirm").click();
    };
    await switchCamera("cameraOff", "涉密画面");
    await until("the camera is off", async () =>
      (await township.page.locator(`[data-testid^="tile-"][data-account="${COMMUNITY}"]`).getAttribute("data-camera")) === "false");
    await switchCamera("cameraOn", "查看水位");
    await until("the terminal shows the order", async () =>
      ((await community.by("device-order-camera").textContent()) ?? "").includes("查看水位"));
    await township.sees(community);
    await community.picture("conduct-10-camera-on-order");
  });

  test("no page had a script error", () => {
    for (const seat of everyone) expect(seat.errors, seat.account).toEqual([]);
  });
});
