import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { type CaptureProblem, captureStore } from "../../media/capture";
import { Picture } from "../../media/Streams";
import { useReplica } from "../../protocol/client";
import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import { QualitySign } from "../../ui/QualitySign";
import { useOwnCall } from "./useOwnCall";

/** The own picture, and the sign that it is being sent. */
export function SelfView() {
  const { t } = useTranslation();
  const camera = useStore(captureStore, (capture) => capture.camera);
  const own = useReplica((replica) => replica.ownParticipant);
  const facing = useStore(captureStore, (capture) => capture.facing);
  const stream = useMemo(() => (camera === null ? null : new MediaStream([camera])), [camera]);
  return (
    <div className="self" data-testid="self-view" aria-label={t("conference.selfView")} role="group">
      <Picture stream={stream} mirrored={facing === "user"} />
      {camera === null && <span className="self-off">{t("wall.cameraOff")}</span>}
      <span className="self-name">
        {camera !== null && <i className="self-sending" title={t("conference.transmitting")} />}
        {t("conference.me")}
        {own !== null && <QualitySign participant={own} />}
      </span>
    </div>
  );
}

/** Everything that keeps the own side from being seen or heard, in words. */
export function OwnNotices({ conference }: { conference: ConferenceId }) {
  const { t } = useTranslation();
  const { me } = useOwnCall(conference);
  const camera = useStore(captureStore, (capture) => capture.cameraProblem);
  const microphone = useStore(captureStore, (capture) => capture.microphoneProblem);
  const problem = (what: CaptureProblem, device: "camera" | "microphone") =>
    t(`devices.problem.${what}`, { device: t(`devices.${device}`) });
  const reasons = [
    ...(microphone === null ? [] : [problem(microphone, "microphone")]),
    ...(camera === null ? [] : [problem(camera, "camera")]),
  ];
  const receiveOnly = camera !== null && microphone !== null;
  return (
    <div className="own-notices" role="status">
      {me?.muted === true && (
        <span className="own-notice" data-testid="self-muted">
          {t("conference.selfMuted")}
        </span>
      )}
      {reasons.length > 0 && (
        <span className="own-notice" data-testid="capture-problem">
          {receiveOnly ? t("devices.joinedReceiveOnly", { reason: reasons.join("；") }) : reasons.join("；")}
        </span>
      )}
    </div>
  );
}
