// The real console behind a bad line: speech goes on, other ways are found.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { loudest, madeUp, received, voice, watch } from "./support/received.ts";
import { Seat } from "./support/seat.ts";
import { Server } from "./support/server.ts";
import { until } from "./support/until.ts";

const TOWNSHIP = "511922101"; // 沙河镇: a browser that speaks
const COMMUNITY = "511922101001"; // 沙河社区: a simulated site that sends three sizes

async function call(county: Seat, site: string): Promise<void> {
  await until(`${site} is online`, async () =>
    (await county.by(`tree-node-${site}`).getAttribute("data-presence")) === "online");
  await county.by(`call-site-${site}`).click();
}

describe("a console behind a bad line", () => {
  let server: Server;
  let county: Seat;
  let township: Seat;

  beforeAll(async () => {
    server = await Server.start({ behindLine: true });
    server.simulate("--sites", COMMUNITY, "--answer", "at-once", "--simulcast", "--slots", "1");
    county = await Seat.open(server, { account: "commander", colour: [200, 40, 40], hertz: 0 });
    await call(county, COMMUNITY);
    await until("more than the smallest picture comes", async () => (await received(county.page)).frameHeight > 180, 60_000);
  });

  afterEach(async () => {
    await server?.line.mend();
  });

  afterAll(async () => {
    await county?.close();
    await township?.close();
    await server?.stop();
  });

  /** Moves the page to another address, and gives the longest time without a frame. */
  async function move(tellPage: boolean): Promise<number> {
    await until("frames come", async () => (await received(county.page)).framesReceived > 10);
    const seen = await watch(county.page);
    const before = await received(county.page);
    await server.line.change({ rebind: { clientPort: before.port } });
    if (tellPage) await county.page.evaluate(() => window.dispatchEvent(new Event("online")));
    await until("frames come to the new address", async () =>
      (await received(county.page)).framesReceived > before.framesReceived + 50);
    expect((await server.line.change({})).rebound).toBeGreaterThan(0);
    const { longestGapMs } = await seen();
    return Math.round(longestGapMs);
  }

  test("another network, of which the browser tells the page, is followed in less than a second", async () => {
    const gapMs = await move(true);
    console.log(`the longest gap while the network changed: ${gapMs} ms`);
    expect(gapMs).toBeLessThan(1_000);
  });

  test("a router that forgot the way is noticed by the browser's own checks", async () => {
    // Nothing tells the page; Chromium checks a quiet path every two and a half seconds.
    const gapMs = await move(false);
    console.log(`the longest gap until the new way was found: ${gapMs} ms`);
    expect(gapMs).toBeLessThan(5_000);
  });

  test("at 10 % loss less than 5 % of speech is made up", async () => {
    township = await Seat.open(server, { account: TOWNSHIP, colour: [40, 180, 60], hertz: 440 });
    await call(county, TOWNSHIP);
    await township.by("ring-accept").click();
    await county.sees(township);
    const quiet = await county.soundEnergy();
    await until("the township is heard", async () => (await county.soundEnergy()) > quiet + 0.01);
    const clean = await received(county.page);
    await until("five seconds without loss", async () => (await received(county.page)).atMs > clean.atMs + 5_000);
    const lossy = await received(county.page);
    await server.line.change({ down: { loss: 0.1 } });
    // The server needs a moment to learn of the loss.
    await until("the loss is known", async () => (await received(county.page)).atMs > lossy.atMs + 3_000);
    const start = await received(county.page);
    await until("ten seconds of it", async () => (await received(county.page)).atMs > start.atMs + 10_000);
    const end = await received(county.page);
    const { down } = await server.line.change({});
    const concealed = madeUp(start, end);
    const heard = (await county.soundEnergy()) - quiet;
    const without = (madeUp(clean, lossy) * 100).toFixed(2);
    console.log(`${(concealed * 100).toFixed(2)} % of the samples were made up, ${without} % without loss; the line lost ${down.lost} packets`);
    expect(down.lost).toBeGreaterThan(50);
    expect(heard).toBeGreaterThan(0.02);
    expect(concealed).toBeLessThan(0.05);
    expect(end.framesDecoded).toBeGreaterThan(start.framesDecoded + 40);
  });

  test("over 64 kbit/s that lose 30 % speech goes on, for which the speaker's page sends less of it", async () => {
    await until("the township's page sends what speech is good for", async () => (await voice(township.page)).maxBitrate === 24_000);
    await server.line.change({ down: { kbps: 64, queueMs: 300, loss: 0.3 } });
    await until("it is asked for less", async () => (await voice(township.page)).maxBitrate <= 16_000);
    const asked = await received(county.page);
    await until("the line's queue has drained", async () => (await received(county.page)).atMs > asked.atMs + 15_000);
    const [start, before] = [await received(county.page), await voice(township.page)];
    await until("twenty seconds of it", async () => (await received(county.page)).atMs > start.atMs + 20_000);
    const [end, sent] = [await received(county.page), await voice(township.page)];
    const heard = loudest(start, end);
    const bytesEach = (sent.bytes - before.bytes) / (sent.packets - before.packets);
    await server.line.mend();
    await until("it may send more again", async () => (await voice(township.page)).maxBitrate === 24_000, 60_000);
    console.log(
      `${(heard.share * 100).toFixed(2)} % of the samples were made up; sent as ${sent.codec} of ${sent.maxBitrate} bit/s, ` +
        `${Math.round(bytesEach)} bytes each, received with ${Math.round(heard.bytesEach)}`,
    );
    expect(sent.codec).toBe("audio/red");
    // Two frames leave the speaker with each packet, and three reach the listener.
    const frame = sent.maxBitrate / 400;
    expect(bytesEach).toBeGreaterThan(1.5 * frame);
    expect(heard.bytesEach).toBeGreaterThan(2.5 * frame);
    expect(heard.share).toBeLessThan(0.1);
  });

  test("no page had a script error", () => {
    for (const seat of [county, township]) expect(seat?.errors ?? []).toEqual([]);
  });
});

describe("a console whose network blocks UDP", () => {
  let server: Server;
  let county: Seat;

  beforeAll(async () => {
    server = await Server.start({ behindLine: true });
    await server.line.change({ udp: false });
    county = await Seat.open(server, { account: "commander", colour: [200, 40, 40], hertz: 0 });
  });

  afterAll(async () => {
    await county?.close();
    await server?.stop();
  });

  test("sends and receives by TCP", async () => {
    const township = await Seat.open(server, { account: TOWNSHIP, colour: [40, 180, 60], hertz: 0 });
    try {
      await call(county, TOWNSHIP);
      await township.by("ring-accept").click();
      await county.sees(township, 60_000);
      await township.sees(county);
      const counters = await server.line.change({});
      expect((await received(county.page)).protocol).toBe("tcp");
      expect(counters.down.streamBytes).toBeGreaterThan(10_000);
      expect(counters.down.datagrams + counters.up.datagrams).toBe(0);
      expect([...county.errors, ...township.errors]).toEqual([]);
    } finally {
      await township.close();
    }
  });
});
