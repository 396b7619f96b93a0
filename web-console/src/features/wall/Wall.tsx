import "./wall.css";

import { LeftOutlined, RightOutlined } from "@ant-design/icons";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { callMediaStore } from "../../media/call";
import { useReplica } from "../../protocol/client";
import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import type { Participant } from "../../protocol/generated/Participant";
import type { ParticipantId } from "../../protocol/generated/ParticipantId";
import { arrange, arrangeSpotlight, type Box } from "./grid";
import { laidOut, lineUp, mayDirect, othersIn } from "./lineup";
import { RemoveDialog } from "./RemoveDialog";
import { resetWall, turnPage, useWallView } from "./store";
import { Tile } from "./Tile";
import { useWish } from "./useWish";

const GAP_PX = 6;

/** Everybody else in the call, as large as the space allows, without scrolling. */
export function Wall({ conference }: { conference: ConferenceId }) {
  const { t } = useTranslation();
  const view = useWallView();
  const participants = useReplica((replica) => replica.participants);
  const own = useReplica((replica) => replica.ownParticipant);
  const sites = useReplica((replica) => replica.sites);
  const people = useReplica((replica) => replica.people);
  const slots = useReplica((replica) => replica.slots);
  const streams = useStore(callMediaStore, (media) => media.videoSlots);
  const [removing, setRemoving] = useState<Participant | null>(null);
  const { box, area } = useArea();

  const layout = useReplica((replica) => replica.conferences.get(conference)?.shown);
  const others = useMemo(
    () => laidOut(othersIn(participants, conference, own), layout ?? []),
    [participants, conference, own, layout],
  );
  // What the one who conducts makes large is large on every wall; else what was chosen here.
  const ordered = useReplica((replica) => replica.conferences.get(conference)?.spotlight ?? null);
  const spotlight = ordered !== null && ordered !== own ? ordered : view.spotlight;
  const pinned = useMemo(
    () => (ordered === null || ordered === own || view.pinned.has(ordered) ? view.pinned : new Set([ordered, ...view.pinned])),
    [ordered, own, view.pinned],
  );
  const lineup = useMemo(
    () => lineUp(others, pinned, streams.length, view.page, ordered),
    [others, pinned, streams.length, view.page, ordered],
  );
  useEffect(() => resetWall, [conference]);

  const boxes = useMemo(() => place(lineup.shown, spotlight, area), [lineup.shown, spotlight, area]);
  const shown = useMemo(() => lineup.shown.map((one) => one.id), [lineup.shown]);
  useWish(conference, { shown, boxes, pinned, spotlight });
  const me = own === null ? undefined : participants.get(own);
  // The page's order never changes: moving a video in the document would stop it.
  const inOrder = useMemo(() => [...lineup.shown].sort((a, b) => a.id - b.id), [lineup.shown]);

  return (
    <section className="wall" data-testid="wall" aria-label={t("wall.label")} data-tiles={lineup.shown.length}>
      <div className="wall-area" ref={box}>
        {inOrder.map((participant) => {
          const at = slots.indexOf(participant.id);
          const place = boxes.get(participant.id);
          if (place === undefined) return null;
          return (
            <Tile
              key={participant.id}
              participant={participant}
              box={place}
              slot={at < 0 ? null : at}
              stream={at < 0 ? null : (streams[at] ?? null)}
              pinned={view.pinned.has(participant.id)}
              large={spotlight === participant.id}
              may={rights(me?.role === "chair", mayDirect(me, participant, sites, people))}
              onRemove={setRemoving}
            />
          );
        })}
      </div>
      {lineup.pages > 1 && (
        <nav className="wall-pages" aria-label={t("wall.label")}>
          <button
            type="button"
            aria-label={t("wall.previous")}
            disabled={lineup.page === 0}
            onClick={() => turnPage(lineup.page - 1)}
          >
            <LeftOutlined aria-hidden />
          </button>
          <span className="ld-number">{t("wall.page", { page: lineup.page + 1, pages: lineup.pages })}</span>
          <button
            type="button"
            aria-label={t("wall.next")}
            disabled={lineup.page === lineup.pages - 1}
            onClick={() => turnPage(lineup.page + 1)}
          >
            <RightOutlined aria-hidden />
          </button>
        </nav>
      )}
      <RemoveDialog participant={removing} onClose={() => setRemoving(null)} />
    </section>
  );
}

/** The same few objects for the same rights, so that tiles need not draw anew. */
const RIGHTS = {
  none: { direct: false, handOver: false },
  direct: { direct: true, handOver: false },
  all: { direct: true, handOver: true },
} as const;

function rights(isChair: boolean, direct: boolean) {
  if (isChair) return RIGHTS.all;
  return direct ? RIGHTS.direct : RIGHTS.none;
}

function place(
  shown: readonly Participant[],
  spotlight: ParticipantId | null,
  area: { width: number; height: number },
): ReadonlyMap<ParticipantId, Box> {
  const large = shown.find((one) => one.id === spotlight);
  const sorted = large === undefined ? shown : [large, ...shown.filter((one) => one !== large)];
  const boxes = (large === undefined ? arrange : arrangeSpotlight)(sorted.length, area, GAP_PX);
  const places = new Map<ParticipantId, Box>();
  for (const [index, one] of sorted.entries()) {
    const box = boxes[index];
    if (box !== undefined) places.set(one.id, box);
  }
  return places;
}

function useArea() {
  const box = useRef<HTMLDivElement>(null);
  const [area, setArea] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setArea({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { box, area };
}
