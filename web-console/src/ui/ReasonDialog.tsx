import "./reason.css";

import { Button, Input, Modal } from "antd";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";

type Props = {
  title: string;
  /** The word on the button. */
  action: string;
  danger?: boolean;
  /** Often given; a click puts it in. */
  presets?: readonly string[];
  /** Something else is missing. */
  incomplete?: boolean;
  /** What is to be chosen besides. */
  children?: ReactNode;
  testId: string;
  onClose: () => void;
  onReason: (reason: string) => void;
};

const NO_PRESETS: readonly string[] = [];

/** What touches another's device or call carries a reason, which is shown there and journaled. */
export function ReasonDialog({ title, action, danger = false, presets = NO_PRESETS, incomplete = false, children, testId, onClose, onReason }: Props) {
  const { t } = useTranslation();
  const [reason, setReason] = useState("");
  const text = reason.trim();
  const ready = text !== "" && !incomplete;

  function send() {
    if (!ready) return;
    onReason(text);
    onClose();
  }

  return (
    <Modal
      open
      centered
      title={title}
      onCancel={onClose}
      footer={[
        <Button key="cancel" onClick={onClose}>
          {t("common.cancel")}
        </Button>,
        <Button key="send" type="primary" danger={danger} data-testid={`${testId}-confirm`} disabled={!ready} onClick={send}>
          {action}
        </Button>,
      ]}
    >
      <div className="reason">
        {children}
        <label htmlFor={`${testId}-reason`}>{t("conduct.reason")}</label>
        <Input
          id={`${testId}-reason`}
          data-testid={`${testId}-reason`}
          maxLength={200}
          autoFocus
          value={reason}
          onChange={(event) => setReason(event.target.value)}
          onPressEnter={send}
        />
        {presets.length > 0 && (
          <div className="reason-presets">
            {presets.map((preset) => (
              <Button key={preset} size="small" onClick={() => setReason(preset)}>
                {preset}
              </Button>
            ))}
          </div>
        )}
      </div>
    </Modal>
  );
}
