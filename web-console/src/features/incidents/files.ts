import type { IncidentFile } from "../../protocol/generated/IncidentFile";
import type { IncidentId } from "../../protocol/generated/IncidentId";

export type FileKind = "photo" | "sound" | "film" | "document";

/** By its media type. No browser but Safari shows HEIF: it is saved instead. */
export function kindOf(mediaType: string): FileKind {
  if (mediaType === "image/heif") return "document";
  if (mediaType.startsWith("image/")) return "photo";
  if (mediaType.startsWith("audio/")) return "sound";
  return mediaType.startsWith("video/") ? "film" : "document";
}

export function addressOf(incident: IncidentId, file: IncidentFile): string {
  return `/api/incidents/${incident}/files/${file.id}`;
}

/** `2.4 MB` */
export function sizeWords(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
