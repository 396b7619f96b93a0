import { AudioMutedOutlined, CrownFilled, MoreOutlined, PauseCircleOutlined, PushpinFilled, VideoCameraOutlined } from "@ant-design/icons";
import { App, Dropdown, type MenuProps } from "antd";
import { type KeyboardEvent, memo, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";

import { Picture } from "../../media/Streams";
import { order } from "../../protocol/client";
import type { Participant } from "../../protocol/generated/Participant";
import { HandIcon } from "../../ui/HandIcon";
import { QualitySign } from "../../ui/QualitySign";
import { useShortName } from "../../ui/siteName";
import { useAttempt } from "../../ui/useAttempt";
import type { Box } from "./grid";
import { togglePin, toggleSpotlight } from "./store";
import { useVitals } from "./useVitals";

export type TileProps = {
  participant: Participant;
  box: Box;
  /** The stream of the slot that shows the participant. */
  stream: MediaStream | null;
  slot: number | null;
  pinned: boolean;
  large: boolean;
  /** What the own party may do with this one. */
  may: { direct: boolean; handOver: boolean };
  onRemove: (participant: Participant) => void;
};

export const Tile = memo(function Tile(props: TileProps) {
  const { participant, box, stream, slot, pinned, large } = props;
  const { t } = useTranslation();
  const shorten = useShortName();
  // Short where it would be cut off.
  const name = box.width < 320 ? shorten(participant.name) : participant.name;
  const tile = useRef<HTMLDivElement>(null);
  useVitals(tile, participant.id);

  // What of its sound the others do not get, and by whose doing.
  const gated = participant.muted || !participant.sound;
  const showing = participant.camera && participant.picture ? stream : null;
  const instead = !participant.picture
    ? "wall.notPermitted"
    : !participant.camera
      ? "wall.cameraOff"
      : slot === null && participant.state === "in"
        ? "wall.noPicture"
        : "wall.connecting";

  function onKeyDown(event: KeyboardEvent<HTMLElement>) {
    if (event.target !== event.currentTarget) return;
    if (event.key === "Enter") toggleSpotlight(participant.id);
    else if (event.key === "p" || event.key === "P") togglePin(participant.id);
    else return;
    event.preventDefault();
  }

  return (
    <div
      ref={tile}
      className="tile"
      role="group"
      aria-label={participant.name}
      tabIndex={0}
      data-testid={`tile-${participant.id}`}
      data-site={participant.site}
      data-account={participant.account}
      data-speaking="false"
      data-paused="false"
      data-muted={gated}
      data-camera={participant.camera}
      data-state={participant.state}
      data-slot={slot ?? ""}
      data-large={large}
      style={{ translate: `${box.x}px ${box.y}px`, width: box.width, height: box.height }}
      onDoubleClick={() => toggleSpotlight(participant.id)}
      onKeyDown={onKeyDown}
    >
      {/* Behind the picture: seen as long as there is none. */}
      <div className="tile-placeholder">
        <strong>{name}</strong>
        <span className="tile-instead">
          {!participant.camera && <VideoCameraOutlined aria-hidden />} {t(instead)}
        </span>
        <span className="tile-instead-paused">{t("wall.paused")}</span>
      </div>
      <Picture stream={showing} />
      <div className="tile-paused">
        <PauseCircleOutlined aria-hidden />
        {t("wall.paused")}
      </div>
      <div className="tile-bar">
        {participant.role === "chair" && <CrownFilled className="tile-chair" title={t("wall.chair")} />}
        {pinned && <PushpinFilled title={t("wall.pin")} />}
        <span className="tile-name" title={participant.name}>
          {name}
        </span>
        {participant.handSinceMs !== null && <HandIcon className="tile-hand" title={t("conduct.handUp")} />}
        {(gated || !participant.microphone) && (
          <AudioMutedOutlined
            className="tile-mute"
            data-muted={gated}
            title={t(participant.muted ? "wall.muted" : gated ? "wall.noWord" : "wall.micOff")}
          />
        )}
        <QualitySign participant={participant.id} />
      </div>
      <TileMenu {...props} />
    </div>
  );
});

function TileMenu({ participant, pinned, large, may, onRemove }: TileProps) {
  const { t } = useTranslation();
  const { attempt } = useAttempt();
  const { modal } = App.useApp();
  const { id, name, conference, muted } = participant;
  const items = useMemo<NonNullable<MenuProps["items"]>>(() => {
    const item = (key: string, text: string, danger = false) => ({
      key,
      danger,
      label: <span data-testid={`${key}-${id}`}>{text}</span>,
    });
    return [
      item("spotlight", t(large ? "wall.unspotlight" : "wall.spotlight")),
      item("pin", t(pinned ? "wall.unpin" : "wall.pin")),
      ...(may.direct ? [item("mute", t(muted ? "wall.unmute" : "wall.mute"))] : []),
      ...(may.handOver ? [item("hand-over", t("wall.handOver"))] : []),
      ...(may.direct ? [{ type: "divider" as const }, item("remove", t("wall.remove"), true)] : []),
    ];
  }, [t, id, large, pinned, muted, may]);

  const choose: NonNullable<MenuProps["onClick"]> = ({ key, domEvent }) => {
    domEvent.stopPropagation();
    if (key === "spotlight") toggleSpotlight(id);
    else if (key === "pin") togglePin(id);
    else if (key === "mute") attempt(() => order({ type: "mute", conference, participant: id, muted: !muted }));
    else if (key === "hand-over") {
      modal.confirm({
        title: t("wall.handOverConfirm", { name }),
        onOk: () => attempt(() => order({ type: "handOver", conference, participant: id }), t("done.handedOver", { name })),
      });
    } else if (key === "remove") onRemove(participant);
  };

  return (
    <Dropdown trigger={["click"]} menu={{ items, onClick: choose }}>
      <button
        type="button"
        className="tile-menu"
        data-testid={`tile-menu-${id}`}
        aria-label={t("wall.menu", { name })}
        onDoubleClick={(event) => event.stopPropagation()}
      >
        <MoreOutlined aria-hidden />
      </button>
    </Dropdown>
  );
}
