import { QrcodeOutlined } from "@ant-design/icons";
import { Alert, Button, Modal, Spin } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { useReplica } from "../../protocol/client";
import { failureKey } from "../../protocol/errors";
import type { DirectoryPerson } from "../../protocol/generated/DirectoryPerson";
import type { LoginLink } from "../../protocol/generated/LoginLink";
import { loginLink } from "../../protocol/http";
import { clockOf } from "../../ui/time";
import { useNow } from "../../ui/useNow";

/** For dispatchers and administrators: a QR code that signs a field unit's phone in, once. */
export function SignInLink({ person }: { person: DirectoryPerson }) {
  const { t } = useTranslation();
  const gives = useReplica((replica) => replica.me.role === "dispatcher" || replica.me.role === "administrator");
  const [open, setOpen] = useState(false);
  /** Each attempt makes a link of its own. */
  const [attempt, setAttempt] = useState(0);
  if (!gives || person.role !== "field") return null;
  return (
    <>
      <button
        type="button"
        className="tree-action"
        data-testid={`link-person-${person.account}`}
        title={t("signInLink.make")}
        aria-label={`${t("signInLink.make")} ${person.name}`}
        onClick={() => setOpen(true)}
      >
        <QrcodeOutlined aria-hidden />
      </button>
      <Modal open={open} title={t("signInLink.make")} footer={null} destroyOnHidden width={360} onCancel={() => setOpen(false)}>
        {open && <Content key={attempt} person={person} onAgain={() => setAttempt(attempt + 1)} />}
      </Modal>
    </>
  );
}

function Content({ person, onAgain }: { person: DirectoryPerson; onAgain: () => void }) {
  const { t } = useTranslation();
  const [link, setLink] = useState<LoginLink | null>(null);
  const [failure, setFailure] = useState<ReturnType<typeof failureKey> | null>(null);
  const offset = useReplica((replica) => replica.clockOffsetMs);
  const now = useNow(500) + offset;
  useEffect(() => {
    let left = false;
    loginLink(person.account).then(
      (made) => {
        if (!left) setLink(made);
      },
      (error: unknown) => {
        if (!left) setFailure(failureKey(error));
      },
    );
    return () => {
      left = true;
    };
  }, [person.account]);

  if (failure !== null) return <Alert type="error" showIcon title={t(failure)} />;
  if (link === null) return <Spin />;
  const leftMs = link.expiresMs - now;
  return (
    <div className="sign-in-link" data-testid="sign-in-link">
      {leftMs > 0 ? (
        <>
          <p>{t("signInLink.told", { name: person.name, time: clockOf(leftMs) })}</p>
          <img alt={t("signInLink.make")} src={`data:image/svg+xml;utf8,${encodeURIComponent(link.qrSvg)}`} />
        </>
      ) : (
        <>
          <Alert type="warning" showIcon title={t("signInLink.over")} />
          <Button type="primary" onClick={onAgain}>
            {t("signInLink.again")}
          </Button>
        </>
      )}
    </div>
  );
}
