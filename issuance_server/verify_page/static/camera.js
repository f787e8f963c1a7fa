// Photographs a sheet: the front, then, if there is one, the back.

import { byId } from "./elements.js";
import { onLanguage, word } from "./language.js";

const WISHED = { video: { facingMode: "environment", width: { ideal: 4096 }, height: { ideal: 3072 } }, audio: false };
const QUALITY = 0.95;

let stream = null;
let taken = 0;

/** Offer the camera where there can be one; each picture is handed on, and so are refusals. */
export function prepare({ onPicture, onFault }) {
  if (!navigator.mediaDevices?.getUserMedia) return;
  byId("photograph").hidden = false;
  byId("photograph").addEventListener("click", () => open(onFault));
  byId("stop").addEventListener("click", () => {
    close();
    byId("photograph").focus();
  });
  byId("shoot").addEventListener("click", async () => {
    const picture = await shot(byId("video"));
    if (picture === null || stream === null) return;
    taken += 1;
    onPicture(picture);
    if (taken < 2) {
      aim();
    } else {
      close();
      byId("verify").focus();
    }
  });
  onLanguage(aim);
}

/** Turn the camera off. */
export function close() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  byId("video").srcObject = null;
  byId("camera").hidden = true;
}

async function open(onFault) {
  close();
  try {
    stream = await navigator.mediaDevices.getUserMedia(WISHED);
  } catch {
    onFault(word("cameraClosed"));
    return;
  }
  taken = 0;
  aim();
  byId("camera").hidden = false;
  byId("video").srcObject = stream;
  await byId("video").play();
  byId("shoot").focus();
}

function aim() {
  byId("aim").textContent = word(taken === 0 ? "aimFront" : "aimBack");
}

function shot(video) {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  if (canvas.width === 0) return Promise.resolve(null);
  canvas.getContext("2d").drawImage(video, 0, 0);
  return new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", QUALITY); });
}
