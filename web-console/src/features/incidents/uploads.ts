import { create } from "zustand";

import { sessionStore } from "../../protocol/client";
import { failureKey } from "../../protocol/errors";
import type { IncidentId } from "../../protocol/generated/IncidentId";
import { addFile } from "../../protocol/http";

/** A file on its way to an incident. One that failed waits to be sent again. */
export type Upload = {
  readonly number: number;
  readonly incident: IncidentId;
  readonly file: File;
  readonly failure: ReturnType<typeof failureKey> | null;
};

/** What is not there yet; what has arrived is in the dossier. */
export const useUploads = create<{ uploads: readonly Upload[] }>(() => ({ uploads: [] }));

/** As the server takes them (`files.rs`), so that a phone does not send in vain. */
export const MAX_FILE_BYTES = 32 * 1024 * 1024;

let last = 0;
// One after the other: on a narrow line the first photo should arrive before the last one begins.
let line: Promise<void> = Promise.resolve();

// Another account has nothing to do with them.
sessionStore.subscribe((session) => {
  if (session.state !== "signedIn") useUploads.setState({ uploads: [] });
});

export function upload(incident: IncidentId, files: readonly File[]): void {
  for (const file of files) {
    last += 1;
    const one: Upload = { number: last, incident, file, failure: null };
    useUploads.setState(({ uploads }) => ({ uploads: [...uploads, one] }));
    queue(one);
  }
}

export function again(one: Upload): void {
  change(one.number, { failure: null });
  queue(one);
}

export function giveUp(one: Upload): void {
  useUploads.setState(({ uploads }) => ({ uploads: uploads.filter(({ number }) => number !== one.number) }));
}

function queue(one: Upload): void {
  line = line.then(() => send(one));
}

async function send(one: Upload): Promise<void> {
  if (!useUploads.getState().uploads.some(({ number }) => number === one.number)) return;
  try {
    await addFile(one.incident, one.file);
    giveUp(one);
  } catch (error) {
    change(one.number, { failure: failureKey(error) });
  }
}

function change(number: number, change: Partial<Upload>): void {
  useUploads.setState(({ uploads }) => ({ uploads: uploads.map((one) => (one.number === number ? { ...one, ...change } : one)) }));
}
