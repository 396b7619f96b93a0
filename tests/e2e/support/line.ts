// The project's own bad line in front of a server's media; see tests/impair.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

import { binary } from "./paths.ts";

/** One direction; what is not named stays, null lifts a limit. */
export type Way = {
  kbps?: number | null;
  queueMs?: number;
  loss?: number;
  burst?: { enter: number; leave: number; loss?: number } | null;
  policer?: { kbps: number; burstBytes: number } | null;
  delayMs?: number;
  jitterMs?: number;
  reorder?: boolean;
};

export type Wish = { up?: Way; down?: Way; udp?: boolean; tcp?: boolean; rebind?: { from?: string; clientPort?: number } };

type Passed = { datagrams: number; bytes: number; streamBytes: number; lost: number; overflow: number; policed: number };
export type Counters = {
  up: Passed;
  down: Passed;
  udpClients: number;
  tcpConnections: number;
  blocked: number;
  rebound: number;
};

export class Line {
  private constructor(
    private readonly process: ChildProcessByStdio<Writable, Readable, null>,
    private readonly lines: AsyncIterator<string>,
    readonly address: string,
  ) {}

  static async open(serverPort: number): Promise<Line> {
    const process = spawn(binary("liandong-impair"), ["--server", `127.0.0.1:${serverPort}`], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
    const { listening } = JSON.parse((await lines.next()).value) as { listening: string };
    return new Line(process, lines, listening);
  }

  /** Changes the line and gives its counters. One wish at a time. */
  async change(wish: Wish): Promise<Counters> {
    this.process.stdin.write(`${JSON.stringify(wish)}\n`);
    const answer = JSON.parse((await this.lines.next()).value) as Counters | { mistake: string };
    if ("mistake" in answer) throw new Error(answer.mistake);
    return answer;
  }

  /** A perfect line again. */
  async mend(): Promise<void> {
    const perfect: Way = { kbps: null, loss: 0, burst: null, policer: null, delayMs: 0, jitterMs: 0, reorder: false };
    await this.change({ up: perfect, down: perfect, udp: true, tcp: true });
  }

  close(): void {
    this.process.kill("SIGKILL");
  }
}
