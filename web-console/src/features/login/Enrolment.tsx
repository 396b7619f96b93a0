import "./enrolment.css";

import { Alert, Button, Input } from "antd";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { failureKey, RefusedError } from "../../protocol/errors";
import type { Enrolment as Begun } from "../../protocol/generated/Enrolment";
import { beginEnrolment, confirmEnrolment } from "../../protocol/http";

type Props = {
  /** There is one already, whose code is asked for first. */
  present: boolean;
  /** The recovery codes are on the page, this once. */
  onCodes?: () => void;
  onDone: () => void;
};

/** Sets up the second factor: picture, first code, recovery codes. */
export function Enrolment({ present, onCodes, onDone }: Props) {
  const { t } = useTranslation();
  const [begun, setBegun] = useState<Begun | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ReturnType<typeof failureKey> | null>(null);

  async function attempt(step: () => Promise<void>) {
    setBusy(true);
    setFailure(null);
    try {
      await step();
      setCode("");
    } catch (error) {
      setFailure(failureKey(error));
      if (error instanceof RefusedError && error.refusal.code === "notBegun") {
        // The picture is worth nothing any more.
        setBegun(null);
        setCode("");
      }
    }
    setBusy(false);
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    if (busy) return;
    if (begun === null) void attempt(async () => setBegun(await beginEnrolment(code)));
    else {
      void attempt(async () => {
        setCodes(await confirmEnrolment(code));
        onCodes?.();
      });
    }
  }

  if (codes !== null) return <RecoveryCodes codes={codes} onDone={onDone} />;
  const asksCode = begun !== null || present;
  return (
    <form className="enrolment" onSubmit={submit}>
      {begun === null ? (
        <p>{t(present ? "security.beginAgain" : "security.begin")}</p>
      ) : (
        <>
          <p>{t("security.scan")}</p>
          <img className="enrolment-qr" alt={t("security.qr")} src={`data:image/svg+xml;utf8,${encodeURIComponent(begun.qrSvg)}`} />
          <p className="enrolment-secret">
            {t("security.secret")} <code data-testid="enrolment-secret">{begun.secret.replace(/(.{4})/g, "$1 ").trim()}</code>
          </p>
        </>
      )}
      {asksCode && (
        <>
          <label htmlFor="enrolment-code">{t("security.code")}</label>
          <Input
            id="enrolment-code"
            data-testid="enrolment-code"
            size="large"
            autoComplete="one-time-code"
            inputMode={begun === null ? "text" : "numeric"}
            maxLength={24}
            value={code}
            onChange={(event) => setCode(event.target.value)}
          />
        </>
      )}
      {failure !== null && <Alert type="error" showIcon title={t(failure)} />}
      <Button
        type="primary"
        size="large"
        htmlType="submit"
        data-testid="enrolment-next"
        loading={busy}
        disabled={asksCode && code.trim() === ""}
      >
        {t(begun === null ? "security.start" : "security.confirm")}
      </Button>
    </form>
  );
}

function RecoveryCodes({ codes, onDone }: { codes: readonly string[]; onDone: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="enrolment">
      <p>{t("security.recoveryTold")}</p>
      <ul className="recovery-codes" data-testid="recovery-codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <Button size="large" onClick={() => void navigator.clipboard?.writeText(codes.join("\n"))}>
        {t("security.copy")}
      </Button>
      <Button type="primary" size="large" data-testid="enrolment-done" onClick={onDone}>
        {t("security.kept")}
      </Button>
    </div>
  );
}
