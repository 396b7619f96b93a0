// The real server, as `make run` starts it, with a data folder and ports of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Line } from "./line.ts";
import { binary, root } from "./paths.ts";
import { until } from "./until.ts";

export const password = "e2e-Nanjiang-3am";

export class Server {
  private process: ChildProcess | undefined;
  private bots: ChildProcess[] = [];

  private constructor(
    readonly port: number,
    readonly data: string,
    private readonly behind: Line | undefined,
  ) {}

  /** The line that all media goes over, of a server that was started behind one. */
  get line(): Line {
    if (this.behind === undefined) throw new Error("this server is not behind a line");
    return this.behind;
  }

  get address(): string {
    return `https://localhost:${this.port}`;
  }

  /** `behindLine`: clients are told the address of a line of their own for media, and no other. */
  static async start({ behindLine = false } = {}): Promise<Server> {
    const port = await freePort();
    const line = behindLine ? await Line.open(port) : undefined;
    const server = new Server(port, await mkdtemp(join(tmpdir(), "liandong-e2e-")), line);
    await server.run();
    return server;
  }

  /** Starts the process on the same data and ports, again after a kill. */
  async run(): Promise<void> {
    this.process = this.spawn("liandong", [
      "serve",
      "--config", join(root, "deploy/nanjiang/liandong.toml"),
      "--data", this.data,
      "--https-port", String(this.port),
      "--media-port", String(this.port),
      ...(this.behind === undefined ? [] : ["--advertise-media", this.behind.address]),
    ]);
    await until("the server answers /healthz", () => healthy(this.port));
  }

  /** Ends the process as a power cut would. */
  async killHard(): Promise<void> {
    const process = this.process;
    if (process === undefined) throw new Error("the server is not running");
    const gone = new Promise((done) => process.once("exit", done));
    process.kill("SIGKILL");
    await gone;
    this.process = undefined;
  }

  /** Simulated sites as separate processes. */
  simulate(...options: string[]): void {
    this.bots.push(
      this.spawn("liandong-loadtest", [
        "sites",
        "--server", this.address,
        "--ca", join(this.data, "tls", "ca.pem"),
        "--password", password,
        ...options,
      ]),
    );
  }

  async stop(): Promise<void> {
    for (const bots of this.bots) bots.kill("SIGKILL");
    if (this.process !== undefined) await this.killHard();
    this.behind?.close();
    if (process.env.LIANDONG_E2E_KEEP === undefined) await rm(this.data, { recursive: true });
  }

  private spawn(program: string, options: string[]): ChildProcess {
    const child = spawn(binary(program), options, {
      cwd: root,
      env: { ...process.env, LIANDONG_DEMO_PASSWORD: password },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const log = createWriteStream(join(this.data, `${program}.log`), { flags: "a" });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    return child;
  }
}

function healthy(port: number): Promise<boolean> {
  return new Promise((done) => {
    const probe = request(
      { host: "127.0.0.1", port, path: "/healthz", rejectUnauthorized: false },
      (response) => {
        response.resume();
        done(response.statusCode === 200);
      },
    );
    probe.on("error", () => done(false));
    probe.end();
  });
}

async function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const listener = createServer();
    listener.on("error", failed);
    listener.listen(0, "127.0.0.1", () => {
      const address = listener.address();
      listener.close(() => {
        if (address === null || typeof address === "string") failed(new Error("no port"));
        else done(address.port);
      });
    });
  });
}
