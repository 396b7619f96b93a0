// Two browsers with made-up cameras, each with an empty page of the server's origin.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";

import type { AnyPage } from "./client.ts";
import type { Server } from "./server.ts";

export type OpenPage = { page: AnyPage; close: () => Promise<void> };

/** A page of the server that runs no scripts of its own. */
const emptyPage = (server: Server) => `${server.address}/healthz`;

export async function openChromium(server: Server): Promise<OpenPage> {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--use-fake-ui-for-media-stream",
      "--use-fake-device-for-media-stream=fps=15",
      "--autoplay-policy=no-user-gesture-required",
      "--disable-features=WebRtcHideLocalIpsWithMdns",
      "--allow-loopback-in-peer-connection",
    ],
  });
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  await page.goto(emptyPage(server));
  return { page: page as AnyPage, close: () => browser.close() };
}

/** Firefox ESR by WebDriver BiDi; Playwright would want a Firefox of its own. */
export async function openFirefox(server: Server): Promise<OpenPage> {
  const profile = await mkdtemp(join(tmpdir(), "liandong-firefox-"));
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    headless: true,
    acceptInsecureCerts: true,
    userDataDir: profile,
    extraPrefsFirefox: {
      "media.navigator.streams.fake": true,
      "media.navigator.permission.disabled": true,
      "media.peerconnection.ice.loopback": true,
      "media.peerconnection.ice.obfuscate_host_addresses": false,
      "media.autoplay.default": 0,
    },
  });
  const page = await browser.newPage();
  await page.goto(emptyPage(server));
  const close = async () => {
    await browser.close();
    await rm(profile, { recursive: true, force: true });
  };
  return { page: page as unknown as AnyPage, close };
}
