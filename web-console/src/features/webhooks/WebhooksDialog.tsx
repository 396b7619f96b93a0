import "./webhooks.css";

import { ReloadOutlined } from "@ant-design/icons";
import { Button, Modal, Spin } from "antd";
import { useCallback, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { failureKey } from "../../protocol/errors";
import type { DeadLetter } from "../../protocol/generated/DeadLetter";
import type { Webhook } from "../../protocol/generated/Webhook";
import { deliverAgain, deliverAllAgain, webhooks } from "../../protocol/http";
import { useAttempt } from "../../ui/useAttempt";
import { eventWords } from "./event";

const LOOK_AGAIN_MS = 3_000;

type Known = { hooks: readonly Webhook[] | null; failure: ReturnType<typeof failureKey> | null };

/** How messages to other systems stand; an administrator sends again what was given up. */
export function WebhooksDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const [{ hooks, failure }, setKnown] = useState<Known>({ hooks: null, failure: null });
  const refresh = useCallback(
    () =>
      webhooks().then(
        (all) => setKnown({ hooks: all.webhooks, failure: null }),
        (error: unknown) => setKnown((known) => ({ ...known, failure: failureKey(error) })),
      ),
    [],
  );
  useEffect(() => {
    void refresh();
    const timer = setInterval(() => void refresh(), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [refresh]);
  return (
    <Modal open width={820} title={t("webhooks.title")} footer={null} onCancel={onClose}>
      <div className="webhooks" data-testid="webhooks">
        {failure !== null && <p role="alert">{t(failure)}</p>}
        {hooks === null && failure === null && <Spin />}
        {hooks?.length === 0 && <p>{t("webhooks.none")}</p>}
        {hooks?.map((hook) => (
          <One key={hook.id} hook={hook} onChanged={refresh} />
        ))}
      </div>
    </Modal>
  );
}

function One({ hook, onChanged }: { hook: Webhook; onChanged: () => Promise<void> }) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const allAgain = () =>
    attempt(async () => {
      await deliverAllAgain(hook.id);
      await onChanged();
    }, t("webhooks.againDone"));
  const state = hook.dead.length > 0 ? "dead" : hook.trouble !== null ? "trouble" : "well";
  return (
    <section aria-label={hook.id} data-state={state} data-testid={`webhook-${hook.id}`}>
      <header>
        <h3>{hook.id}</h3>
        <span className="webhook-state">{t(`webhooks.state.${state}`)}</span>
        {hook.givenUp > 1 && (
          <Button icon={<ReloadOutlined aria-hidden />} loading={busy} data-testid="deliver-all-again" onClick={allAgain}>
            {t("webhooks.allAgain")}
          </Button>
        )}
      </header>
      <p className="webhook-url">{hook.url}</p>
      <p className="ld-number">
        {t("webhooks.counts", { delivered: hook.delivered, waiting: hook.waiting, dead: hook.givenUp })}
      </p>
      <p>
        {t("webhooks.events")}
        {hook.events === null ? t("webhooks.eventsAll") : hook.events.map((event) => eventWords(t, event)).join(t("webhooks.comma"))}
      </p>
      {hook.trouble !== null && (
        <p className="webhook-trouble">
          {t("webhooks.trouble")}
          {hook.trouble}
        </p>
      )}
      {hook.dead.length > 0 && (
        <ul>
          {hook.dead.map((letter) => (
            <Letter key={letter.entry} hook={hook.id} letter={letter} onChanged={onChanged} />
          ))}
          {hook.givenUp > hook.dead.length && <li>{t("webhooks.more", { count: hook.givenUp - hook.dead.length })}</li>}
        </ul>
      )}
    </section>
  );
}

function Letter({ hook, letter, onChanged }: { hook: string; letter: DeadLetter; onChanged: () => Promise<void> }) {
  const { t, i18n } = useTranslation();
  const { attempt, busy } = useAttempt();
  const again = () =>
    attempt(async () => {
      await deliverAgain(hook, letter.entry);
      await onChanged();
    }, t("webhooks.againDone"));
  return (
    <li data-testid={`dead-${letter.entry}`}>
      <div>
        <strong title={letter.type}>{eventWords(t, letter.type)}</strong>{" "}
        <span className="ld-number">{new Date(letter.happenedAtMs).toLocaleString(i18n.language, { hour12: false })}</span>
        <small>{t("webhooks.tries", { count: letter.attempts, trouble: letter.trouble })}</small>
      </div>
      <Button icon={<ReloadOutlined aria-hidden />} loading={busy} data-testid="deliver-again" onClick={again}>
        {t("webhooks.again")}
      </Button>
    </li>
  );
}
