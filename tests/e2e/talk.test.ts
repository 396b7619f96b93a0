// Push-to-talk in one group: two patrol phones and the county, through the real server.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { Seat } from "./support/seat.ts";
import { Server } from "./support/server.ts";
import { until } from "./support/until.ts";

const NAME = "联合巡逻";
const PHONE = { width: 390, height: 844 };

/** Sound packets that the page has received, and those that it has sent. */
async function packets(seat: Seat): Promise<{ received: number; sent: number }> {
  return seat.page.evaluate(async () => {
    const { keptConnections } = window as unknown as { keptConnections: RTCPeerConnection[] };
    const sum = { received: 0, sent: 0 };
    for (const connection of keptConnections) {
      if (connection.connectionState === "closed") continue;
      for (const stat of (await connection.getStats()).values()) {
        if (stat.kind !== "audio") continue;
        if (stat.type === "inbound-rtp") sum.received += stat.packetsReceived ?? 0;
        if (stat.type === "outbound-rtp") sum.sent += stat.packetsSent ?? 0;
      }
    }
    return sum;
  });
}

async function hold(seat: Seat, key: string): Promise<void> {
  await seat.by(key).hover();
  await seat.page.mouse.down();
}

async function letGo(seat: Seat): Promise<void> {
  await seat.page.mouse.up();
}

describe("two patrols and the county in one talk group", () => {
  let server: Server;
  let county: Seat;
  let first: Seat;
  let second: Seat;
  let id: string;

  const stands = (seat: Seat, state: string) =>
    until(`${seat.account} is ${state}`, async () => (await seat.by(`ptt-${id}`).getAttribute("data-state")) === state);
  const hears = async (seat: Seat) => {
    const before = await seat.soundEnergy();
    await until(`${seat.account} hears something`, async () => (await seat.soundEnergy()) > before + 0.005);
  };

  beforeAll(async () => {
    server = await Server.start();
    county = await Seat.open(server, { account: "commander", colour: [200, 40, 40], hertz: 700 });
    first = await Seat.open(server, { account: "field1", colour: [40, 180, 60], hertz: 440, viewport: PHONE });
    second = await Seat.open(server, { account: "field2", colour: [50, 70, 210], hertz: 550, viewport: PHONE });
  });

  afterAll(async () => {
    for (const seat of [county, first, second]) await seat?.close();
    await server?.stop();
  });

  test("the county makes a group of two patrols", async () => {
    await county.by("tab-talk").click();
    await county.by("new-group").click();
    await county.by("group-name").fill(NAME);
    const members = county.page.getByRole("combobox", { name: "成员" });
    for (const name of ["何建国", "岳春梅"]) {
      await members.fill(name);
      await members.press("Enter");
    }
    // A busy machine takes its time over what follows.
    await county.page.getByLabel("单次讲话上限（秒）").fill("200");
    await county.picture("talk-form");
    await county.by("save-group").click();
    const card = county.page.locator("article", { hasText: NAME });
    id = ((await card.getAttribute("data-testid")) ?? "").replace("group-", "");
    expect(id).toMatch(/^\d+$/);
  });

  test("both listen", async () => {
    for (const seat of [first, second]) {
      await seat.by("nav-talk").click();
      await seat.by(`choose-group-${id}`).click();
      await seat.by(`listen-${id}`).click();
      await stands(seat, "ready");
    }
    await until("the county sees two listeners", async () => (await county.by(`listeners-${id}`).textContent())?.includes("2") ?? false);
  });

  test("one holds the key and the other hears", async () => {
    await hold(first, `ptt-${id}`);
    await stands(first, "holding");
    await hears(second);
    await until("the county sees who speaks", async () => (await county.by(`floor-${id}`).getAttribute("data-holder")) === "field1");
    await first.picture("talk-holding");
    await second.picture("talk-hearing");
  });

  test("the other waits, and what it sends is not forwarded", async () => {
    await hold(second, `ptt-${id}`);
    await stands(second, "queued");
    await second.picture("talk-queued");
    const before = { first: await packets(first), second: await packets(second) };
    await until("the one who waits has sent a second of sound", async () => (await packets(second)).sent > before.second.sent + 50);
    expect((await packets(first)).received).toBe(before.first.received);
  });

  test("the key is let go, and the other is heard", async () => {
    await letGo(first);
    await stands(second, "holding");
    await hears(first);
  });

  test("the county goes first", async () => {
    await county.by(`listen-${id}`).click();
    await stands(county, "ready");
    await county.by(`group-${id}`).locator("h3").click();
    await county.page.keyboard.down("Space");
    await stands(county, "holding");
    await until("the patrol is told why", async () => (await second.by(`cause-${id}`).getAttribute("data-cause")) === "preempted");
    await hears(first);
    await county.picture("talk-county");
    await county.page.keyboard.up("Space");
    await letGo(second);
    await stands(county, "ready");
  });

  test("an alarm is shown everywhere and cancelled as false", async () => {
    await first.by("phone-sos").hover();
    await first.page.mouse.down();
    await county.by(`sos-${id}`).waitFor();
    await letGo(first);
    await hold(first, `ptt-${id}`);
    await stands(first, "holding");
    await until("as an alarm", async () => (await county.by(`floor-${id}`).getAttribute("data-rank")) === "sos");
    await county.picture("talk-sos");
    await letGo(first);
    await county.by(`sos-cancel-${id}`).click();
    await county.by("sos-false").click();
    await until("nobody is alarmed any more", async () => (await second.by(`sos-${id}`).count()) === 0);
  });

  test("no page had a script error", () => {
    for (const seat of [county, first, second]) expect(seat.errors, seat.account).toEqual([]);
  });
});
