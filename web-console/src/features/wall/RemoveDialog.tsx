import { useTranslation } from "react-i18next";

import { order } from "../../protocol/client";
import type { Participant } from "../../protocol/generated/Participant";
import { ReasonDialog } from "../../ui/ReasonDialog";
import { useAttempt } from "../../ui/useAttempt";

const PRESETS = ["finished", "noise", "mistake"] as const;

/** Taking somebody out needs a reason, which is shown on the other's device and journaled. */
export function RemoveDialog({ participant, onClose }: { participant: Participant | null; onClose: () => void }) {
  return participant === null ? null : <Dialog key={participant.id} participant={participant} onClose={onClose} />;
}

function Dialog({ participant, onClose }: { participant: Participant; onClose: () => void }) {
  const { t } = useTranslation();
  const { attempt } = useAttempt();
  const { id, conference, name } = participant;
  return (
    <ReasonDialog
      title={t("wall.removeTitle", { name })}
      action={t("wall.remove")}
      danger
      presets={PRESETS.map((preset) => t(`wall.removeReasons.${preset}`))}
      testId="remove"
      onClose={onClose}
      onReason={(reason) =>
        attempt(() => order({ type: "remove", conference, participant: id, reason }), t("done.removed", { name }))
      }
    />
  );
}
