import "./enrolment.css";

import { Alert, Button, Input, Modal, Spin } from "antd";
import { useCallback, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { failureKey } from "../../protocol/errors";
import type { SecondFactorState } from "../../protocol/generated/SecondFactorState";
import { removeSecondFactor, secondFactor } from "../../protocol/http";
import { Enrolment } from "./Enrolment";

/** The own account's second factor. */
export function AccountSecurity({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  /** The recovery codes are shown once: a stray click or key must not take them away. */
  const [codesShown, setCodesShown] = useState(false);
  function close() {
    setCodesShown(false);
    onClose();
  }
  return (
    <Modal
      open={open}
      title={t("security.title")}
      footer={null}
      destroyOnHidden
      mask={{ closable: !codesShown }}
      keyboard={!codesShown}
      onCancel={close}
      width={460}
    >
      {open && <Content onCodes={() => setCodesShown(true)} onClose={close} />}
    </Modal>
  );
}

function Content({ onCodes, onClose }: { onCodes: () => void; onClose: () => void }) {
  const { t } = useTranslation();
  const [state, setState] = useState<SecondFactorState | null>(null);
  const [page, setPage] = useState<"state" | "enrol" | "remove">("state");
  const [failure, setFailure] = useState<ReturnType<typeof failureKey> | null>(null);
  const look = useCallback(() => {
    secondFactor().then(setState, (error: unknown) => setFailure(failureKey(error)));
  }, []);
  useEffect(look, [look]);

  if (failure !== null) return <Alert type="error" showIcon title={t(failure)} />;
  if (state === null) return <Spin />;
  if (page === "enrol") return <Enrolment present={state.enrolled} onCodes={onCodes} onDone={onClose} />;
  if (page === "remove") return <Removal onDone={onClose} />;
  return (
    <div className="enrolment" data-testid="second-factor">
      <Alert
        type={state.enrolled ? "success" : "info"}
        showIcon
        title={t(state.enrolled ? "security.on" : "security.off")}
        description={state.enrolled ? t("security.codesLeft", { count: state.recoveryCodesLeft }) : t("security.why")}
      />
      <Button type="primary" size="large" data-testid="enrol" onClick={() => setPage("enrol")}>
        {t(state.enrolled ? "security.renew" : "security.start")}
      </Button>
      {state.enrolled && !state.required && (
        <Button danger size="large" onClick={() => setPage("remove")}>
          {t("security.remove")}
        </Button>
      )}
    </div>
  );
}

function Removal({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const [code, setCode] = useState("");
  const [failure, setFailure] = useState<ReturnType<typeof failureKey> | null>(null);
  const remove = () => removeSecondFactor(code).then(onDone, (error: unknown) => setFailure(failureKey(error)));
  return (
    <form
      className="enrolment"
      onSubmit={(event) => {
        event.preventDefault();
        void remove();
      }}
    >
      <label htmlFor="removal-code">{t("security.code")}</label>
      <Input
        id="removal-code"
        size="large"
        autoComplete="one-time-code"
        maxLength={24}
        value={code}
        onChange={(event) => setCode(event.target.value)}
      />
      {failure !== null && <Alert type="error" showIcon title={t(failure)} />}
      <Button danger size="large" htmlType="submit" disabled={code.trim() === ""}>
        {t("security.remove")}
      </Button>
    </form>
  );
}
