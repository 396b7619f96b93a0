import "./login.css";

import { Alert, Button, Input } from "antd";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { signIn } from "../../protocol/client";
import { failureKey, RefusedError } from "../../protocol/errors";
import type { Refusal } from "../../protocol/generated/Refusal";
import { LanguageSwitch } from "../../ui/LanguageSwitch";
import { Mark } from "../../ui/Mark";
import { clockOf } from "../../ui/time";
import { useNow } from "../../ui/useNow";

/** `account`: whose login it was; a wait holds for that one only. */
type Failure = { key: ReturnType<typeof failureKey>; account: string; untilMs: number | null };

function failureOf(error: unknown, account: string): Failure {
  const wait = error instanceof RefusedError ? error.refusal.retryAfterMs : undefined;
  return { key: failureKey(error), account, untilMs: wait === undefined ? null : Date.now() + wait };
}

/** `refusal`: why the last session ended, if it did. */
export function LoginPage({ refusal }: { refusal: Refusal | null }) {
  const { t } = useTranslation();
  const [account, setAccount] = useState("");
  const [password, setPassword] = useState("");
  /** Whose second factor is asked for. */
  const [asksCode, setAsksCode] = useState<string | null>(null);
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(() =>
    refusal === null ? null : failureOf(new RefusedError(refusal), ""),
  );
  const now = useNow(500);
  const shown = failure !== null && [account.trim(), ""].includes(failure.account) ? failure : null;
  const lockedMs = shown?.untilMs == null ? 0 : Math.max(0, shown.untilMs - now);

  const wantsCode = asksCode === account.trim();

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (busy || lockedMs > 0) return;
    setBusy(true);
    setFailure(null);
    try {
      await signIn({ account: account.trim(), password, ...(wantsCode ? { code } : {}) });
    } catch (error) {
      setCode("");
      if (error instanceof RefusedError && error.refusal.code === "codeNeeded") setAsksCode(account.trim());
      else setFailure(failureOf(error, account.trim()));
      setBusy(false);
    }
  }

  return (
    <main className="login">
      <div className="login-language">
        <LanguageSwitch />
      </div>
      <form className="login-card" onSubmit={(event) => void submit(event)} aria-labelledby="login-name">
        <div className="login-brand">
          <Mark size={56} />
          <div>
            <h1 id="login-name">{t("app.name")}</h1>
            <p>{t("app.subtitle")}</p>
          </div>
        </div>
        <label htmlFor="login-account">{t("login.account")}</label>
        <Input
          id="login-account"
          data-testid="login-account"
          size="large"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          value={account}
          onChange={(event) => setAccount(event.target.value)}
        />
        <label htmlFor="login-password">{t("login.password")}</label>
        <Input.Password
          id="login-password"
          data-testid="login-password"
          size="large"
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        {wantsCode && (
          <>
            <label htmlFor="login-code">{t("login.code")}</label>
            <Input
              id="login-code"
              data-testid="login-code"
              size="large"
              autoFocus
              autoComplete="one-time-code"
              maxLength={24}
              value={code}
              onChange={(event) => setCode(event.target.value)}
            />
          </>
        )}
        <div className="login-failure" role="alert" data-testid="login-failure">
          {shown !== null && (
            <Alert
              type="error"
              showIcon
              title={t(shown.key)}
              description={lockedMs > 0 ? t("login.lockedFor", { time: clockOf(lockedMs + 999) }) : undefined}
            />
          )}
        </div>
        <Button
          data-testid="login-submit"
          type="primary"
          size="large"
          block
          htmlType="submit"
          loading={busy}
          disabled={account.trim() === "" || password === "" || (wantsCode && code.trim() === "") || lockedMs > 0}
        >
          {t("login.submit")}
        </Button>
        <p className="login-footer">{t("login.footer")}</p>
      </form>
    </main>
  );
}
