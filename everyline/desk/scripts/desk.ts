/** The bundle of every signed-in page: desk, set-up, board. */

import htmx from "htmx.org";

import { startComposer } from "../../ground/scripts/composer";
import { startCopy } from "../../ground/scripts/copy";
import { startDialogs } from "../../ground/scripts/dialogs";
import { contentArrived } from "../../ground/scripts/dom";
import { startKeys } from "../../ground/scripts/keys";
import { startLive } from "../../ground/scripts/live";
import { startMenus } from "../../ground/scripts/menus";
import { startOffers } from "../../ground/scripts/offer";
import { startPalette } from "../../ground/scripts/palette";
import { startProposals } from "../../ground/scripts/propose";
import { startRecorders } from "../../ground/scripts/record";
import { startSound } from "../../ground/scripts/sound";
import { startStreams } from "../../ground/scripts/stream";
import { startTheme } from "../../ground/scripts/theme";
import { startTimes } from "../../ground/scripts/time";
import { startToasts, toast } from "../../ground/scripts/toast";
import { startWhen } from "../../ground/scripts/when";
import { word } from "../../ground/scripts/words";
import { startCalls } from "./calls";
import { startCopies } from "./copies";
import { startEcho } from "./echo";
import { startFormats } from "./format";
import { startInserts } from "./insert";
import { startLetters } from "./letter";
import { startMentions } from "./mention";
import { startPhone } from "./softphone";
import { startPreviews } from "./preview";
import { startRecordings } from "./recording";
import { startRows } from "./rows";
import { startTalks } from "./talk";
import { startTalkRow } from "./talks";

Object.assign(htmx.config, {
  allowEval: false, // the policy for scripts forbids it
  allowScriptTags: false,
  includeIndicatorStyles: false, // they stand in base.css: the policy for styles forbids a style element
  selfRequestsOnly: true,
  defaultSettleDelay: 0, // until it settles, a row that was just put there opens its case by loading a whole page
  attributesToSettle: ["class"], // a style attribute is forbidden by the policy for styles
  historyCacheSize: 0, // pages with customers in them are not kept in the browser
  refreshOnHistoryMiss: true,
  responseHandling: [
    { code: "204", swap: false },
    { code: "[23]..", swap: true },
    { code: "422", swap: true }, // a form with what is wrong in it
    { code: "...", swap: false, error: true },
  ],
});

const SAID: Readonly<Record<number, string>> = { 403: "forbidden", 404: "gone", 409: "gone", 410: "gone" };

/** What the server says about a refusal, when it says it in words alone. */
function words(answer: XMLHttpRequest): string {
  return answer.getResponseHeader("Content-Type")?.startsWith("text/plain") ? answer.responseText : "";
}

document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = (event as CustomEvent<{ xhr: XMLHttpRequest }>).detail;
  if (xhr.status === 401) return location.reload(); // signed out elsewhere: the server shows the way in
  toast({ text: words(xhr) || word(SAID[xhr.status] ?? "failed"), tone: "bad" });
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = event as CustomEvent<{ xhr: XMLHttpRequest; shouldSwap: boolean }>;
  if (detail.xhr.status !== 422 || !words(detail.xhr)) return;
  detail.shouldSwap = false;
  toast({ text: words(detail.xhr), tone: "bad" });
});
document.addEventListener("htmx:sendError", () => toast({ text: word("offline"), tone: "bad" }));

startTheme();
startMenus();
startDialogs();
startKeys();
startPalette();
startTimes();
startToasts();
startCopy();
startSound();
startOffers();
startComposer();
startStreams();
startWhen();
startProposals();
startRecorders();
startRecordings();
startRows();
startTalks();
startTalkRow();
startLetters();
startMentions();
startInserts();
startCopies();
startFormats();
startPreviews();
startCalls();
startEcho();
startPhone();
startLive();
htmx.onLoad((arrived) => contentArrived(arrived as HTMLElement));
