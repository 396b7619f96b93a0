import { Button, Input, Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { order } from "../../protocol/client";
import type { Participant } from "../../protocol/generated/Participant";
import { useAttempt } from "../../ui/useAttempt";

const PRESETS = ["finished", "noise", "mistake"] as const;

/** Taking somebody out needs a reason, which is shown on the other's device and journaled. */
export function RemoveDialog({ participant, onClose }: { participant: Participant | null; onClose: () => void }) {
  return participant === null ? null : <Dialog key={participant.id} participant={participant} onClose={onClose} />;
}

function Dialog({ participant, onClose }: { participant: Participant; onClose: () => void }) {
  const { t } = useTranslation();
  const { attempt } = useAttempt();
  const [reason, setReason] = useState("");
  const { id, conference, name } = participant;

  function remove() {
    attempt(
      () => order({ type: "remove", conference, participant: id, reason: reason.trim() }),
      t("done.removed", { name }),
    );
    onClose();
  }

  return (
    <Modal
      open
      centered
      title={t("wall.removeTitle", { name })}
      onCancel={onClose}
      footer={[
        <Button key="cancel" onClick={onClose}>
          {t("common.cancel")}
        </Button>,
        <Button
          key="remove"
          type="primary"
          danger
          data-testid="remove-confirm"
          disabled={reason.trim() === ""}
          onClick={remove}
        >
          {t("wall.remove")}
        </Button>,
      ]}
    >
      <div className="remove">
        <label htmlFor="remove-reason">{t("wall.removeReason")}</label>
        <Input
          id="remove-reason"
          data-testid="remove-reason"
          maxLength={200}
          autoFocus
          value={reason}
          onChange={(event) => setReason(event.target.value)}
          onPressEnter={() => reason.trim() !== "" && remove()}
        />
        <div className="remove-presets">
          {PRESETS.map((preset) => (
            <Button key={preset} size="small" onClick={() => setReason(t(`wall.removeReasons.${preset}`))}>
              {t(`wall.removeReasons.${preset}`)}
            </Button>
          ))}
        </div>
      </div>
    </Modal>
  );
}
