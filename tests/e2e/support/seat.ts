// One real browser process with its own camera and microphone, and somebody logged in at it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type BrowserContext, chromium, type Locator, type Page } from "playwright-core";

import { type Rgb, writeCamera, writeMicrophone } from "./camera.ts";
import { password, type Server } from "./server.ts";
import { until } from "./until.ts";

export type Tile = { site: string; account: string; colour: Rgb; frames: number; speaking: boolean; muted: boolean };

type SeatOptions = {
  account: string;
  colour: Rgb;
  /** Of the microphone's tone; 0 is silence. */
  hertz: number;
  viewport?: { width: number; height: number };
  query?: string;
  /** What the device says where it is. */
  place?: { longitude: number; latitude: number; accuracy: number };
};

export class Seat {
  private constructor(
    readonly account: string,
    readonly colour: Rgb,
    readonly page: Page,
    private readonly context: BrowserContext,
    private readonly profile: string,
    readonly errors: string[],
  ) {}

  static async open(server: Server, options: SeatOptions): Promise<Seat> {
    const profile = await mkdtemp(join(tmpdir(), "liandong-seat-"));
    const camera = join(profile, "camera.y4m");
    const microphone = join(profile, "microphone.wav");
    await writeCamera(camera, options.colour);
    await writeMicrophone(microphone, options.hertz);
    const phone = options.viewport !== undefined && options.viewport.width < 600;
    const context = await chromium.launchPersistentContext(join(profile, "user"), {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      headless: true,
      ignoreHTTPSErrors: true,
      locale: "zh-CN",
      viewport: options.viewport ?? { width: 1366, height: 768 },
      hasTouch: phone,
      isMobile: phone,
      ...(options.place === undefined
        ? {}
        : { geolocation: options.place, permissions: ["geolocation", "camera", "microphone"] }),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        `--use-file-for-fake-video-capture=${camera}`,
        `--use-file-for-fake-audio-capture=${microphone}`,
        "--autoplay-policy=no-user-gesture-required",
        "--disable-features=WebRtcHideLocalIpsWithMdns",
        "--allow-loopback-in-peer-connection",
      ],
    });
    const page = context.pages()[0] ?? (await context.newPage());
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    // The tests read statistics, so they keep hold of the page's connections.
    await page.addInitScript(() => {
      const connections: RTCPeerConnection[] = [];
      const Native = window.RTCPeerConnection;
      class Kept extends Native {
        constructor(configuration?: RTCConfiguration) {
          super(configuration);
          connections.push(this);
        }
      }
      Object.assign(window, { RTCPeerConnection: Kept, keptConnections: connections });
    });
    const seat = new Seat(options.account, options.colour, page, context, profile, errors);
    await page.goto(`${server.address}/${options.query ?? ""}`);
    await seat.signIn(password);
    return seat;
  }

  async signIn(secret: string): Promise<void> {
    await this.by("login-account").fill(this.account);
    await this.by("login-password").fill(secret);
    await this.by("login-submit").click();
  }

  by(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  /** Keeps a picture of the page for whoever wants to look; nothing without LIANDONG_E2E_PICTURES. */
  async picture(name: string): Promise<void> {
    const folder = process.env.LIANDONG_E2E_PICTURES;
    if (folder !== undefined) await this.page.screenshot({ path: join(folder, `${name}.png`) });
  }

  /** What the wall shows, each tile with the colour in its upper middle. */
  async tiles(): Promise<Tile[]> {
    return this.page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('[data-testid^="tile-"][data-account]')].map((tile) => {
        const video = tile.querySelector("video");
        let colour: [number, number, number] = [0, 0, 0];
        let frames = 0;
        if (video !== null && video.videoWidth > 0) {
          frames = video.getVideoPlaybackQuality().totalVideoFrames;
          const canvas = document.createElement("canvas");
          canvas.width = 1;
          canvas.height = 1;
          const pen = canvas.getContext("2d");
          const { videoWidth: width, videoHeight: height } = video;
          pen?.drawImage(video, width * 0.4, height * 0.05, width * 0.2, height * 0.1, 0, 0, 1, 1);
          const pixel = pen?.getImageData(0, 0, 1, 1).data;
          colour = [pixel?.[0] ?? 0, pixel?.[1] ?? 0, pixel?.[2] ?? 0];
        }
        return {
          site: tile.dataset.site ?? "",
          account: tile.dataset.account ?? "",
          colour,
          frames,
          speaking: tile.dataset.speaking === "true",
          muted: tile.dataset.muted === "true",
        };
      }),
    );
  }

  /** The sum of sound energy received so far (webrtc-stats `totalAudioEnergy`). */
  async soundEnergy(): Promise<number> {
    return this.page.evaluate(async () => {
      const { keptConnections } = window as unknown as { keptConnections: RTCPeerConnection[] };
      let energy = 0;
      for (const connection of keptConnections) {
        if (connection.connectionState === "closed") continue;
        for (const stat of (await connection.getStats()).values()) {
          if (stat.type === "inbound-rtp" && stat.kind === "audio") energy += stat.totalAudioEnergy ?? 0;
        }
      }
      return energy;
    });
  }

  /** Waits until the tile of this account shows this colour and its frames advance. */
  async sees(other: Pick<Seat, "account" | "colour">, withinMs = 30_000): Promise<void> {
    let last: Tile | undefined;
    let frames = -1;
    await until(
      `${this.account} sees ${other.account} in ${other.colour.join(",")}`,
      async () => {
        last = (await this.tiles()).find((tile) => tile.account === other.account);
        if (last === undefined || !near(last.colour, other.colour)) return false;
        if (frames < 0) frames = last.frames;
        return last.frames > frames + 3;
      },
      withinMs,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; last seen: ${JSON.stringify(last)}`);
    });
  }

  async close(): Promise<void> {
    await this.context.close();
    await rm(this.profile, { recursive: true, force: true });
  }
}

/** Within what a lossy codec and two colour conversions change. */
function near(a: Rgb, b: Rgb): boolean {
  return Math.abs(a[0] - b[0]) < 40 && Math.abs(a[1] - b[1]) < 40 && Math.abs(a[2] - b[2]) < 40;
}
