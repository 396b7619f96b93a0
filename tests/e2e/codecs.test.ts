// Chromium, Firefox ESR and the independent stack of the simulated sites: each sends and receives through the server.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type OpenPage, openChromium, openFirefox } from "./support/browsers.ts";
import { type AnyPage, callSites, type Codec, enter, look, receives, resend, sends, showAt } from "./support/client.ts";
import { password, Server } from "./support/server.ts";
import { until } from "./support/until.ts";

const CHROMIUM = "511922101"; // 沙河镇
const FIREFOX = "511922103"; // 长赤镇
const SIMULATED = "511922101001"; // 沙河社区

describe("every client sends and receives through the server", () => {
  let server: Server;
  let caller: OpenPage;
  let chromium: OpenPage;
  let firefox: OpenPage;
  const pages: OpenPage[] = [];

  beforeAll(async () => {
    server = await Server.start();
    server.simulate("--sites", SIMULATED, "--answer", "at-once", "--simulcast", "--slots", "3");
    // The caller is a second Chromium page: H.264 has to be received by somebody.
    caller = await openChromium(server);
    chromium = await openChromium(server);
    firefox = await openFirefox(server);
    pages.push(caller, chromium, firefox);
    const plan = { password, codec: "VP8" as Codec, simulcast: true, videoSlots: 3 };
    for (const [{ page }, account] of [[caller, "commander"], [chromium, CHROMIUM], [firefox, FIREFOX]] as const) {
      const simulcast = account !== "commander";
      expect(await enter(page, { ...plan, simulcast, account }), `${account} is welcomed`).toBe(true);
    }
    await callSites(caller.page, [CHROMIUM, FIREFOX, SIMULATED]);
  });

  afterAll(async () => {
    for (const { close } of pages) await close();
    await server?.stop();
  });

  async function receivesAll(name: string, page: AnyPage, codecs: Codec[]): Promise<void> {
    let before: number[] | undefined;
    let last = await look(page);
    await until(`${name} receives ${codecs.join(", ")}`, async () => {
      last = await look(page);
      const moving = last.received.filter(({ frames }) => frames > 0);
      const got = moving.map(({ codec }) => codec).sort();
      if (got.join() !== [...codecs].sort().join()) return false;
      before ??= moving.map(({ frames }) => frames);
      return moving.every(({ frames }, slot) => frames > (before?.[slot] ?? 0) + 10);
    }, 60_000).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(last)}`);
    });
  }

  test("VP8 from all to all", async () => {
    for (const [name, { page }] of [["the caller", caller], ["Chromium", chromium], ["Firefox", firefox]] as const) {
      await receivesAll(name, page, ["VP8", "VP8", "VP8"]);
    }
  });

  test.each([["Chromium", () => chromium], ["Firefox", () => firefox]] as const)("%s sends three sizes", async (name, which) => {
    // The server stops sizes that nobody shows: somebody has to ask for the largest.
    await showAt(caller.page, 720);
    let sent = (await look(which().page)).sent;
    await until(`${name} has sent q, h and f`, async () => {
      sent = (await look(which().page)).sent;
      return sent.filter(({ frames }) => frames > 0).length === 3;
    }, 30_000).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(sent)}`);
    });
    expect(sent.map(({ rid }) => rid).sort()).toEqual(["f", "h", "q"]);
  });

  // From whom, and to whom, if both know the codec.
  const named = { Chromium: () => chromium.page, Firefox: () => firefox.page, "the caller": () => caller.page };
  type Name = keyof typeof named;
  const routes: { codec: Codec; sender: Name; receiver: Name }[] = [
    { codec: "H264", sender: "Chromium", receiver: "the caller" },
    { codec: "VP9", sender: "Chromium", receiver: "Firefox" },
    { codec: "AV1", sender: "Chromium", receiver: "Firefox" },
    { codec: "VP9", sender: "Firefox", receiver: "Chromium" },
    { codec: "AV1", sender: "Firefox", receiver: "Chromium" },
  ];
  test.each(routes)("$codec from $sender to $receiver", async ({ codec, sender, receiver }) => {
    const [from, to] = [named[sender](), named[receiver]()];
    const known = (await sends(from, codec)) && (await receives(to, codec));
    console.log(`${codec} from ${sender} to ${receiver}: ${known ? "tried" : "not known to both here"}`);
    if (!known) return;
    await resend(from, codec, false);
    // A slot's counter goes on from the codec before.
    let before: number | undefined;
    await until(`${receiver} shows ${codec}`, async () => {
      const shown = (await look(to)).received.find((one) => one.codec === codec);
      if (shown === undefined) return false;
      before ??= shown.frames;
      return shown.frames > before + 20;
    }, 60_000).catch(async (error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify([await look(from), await look(to)])}`);
    });
  });
});
