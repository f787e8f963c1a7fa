// The alarm for what was forgotten, and the voice. The voice never says a digit of a PIN.

let context = null;
let beeping = 0;

export function alarm(on) {
  if (!on) {
    clearInterval(beeping);
    beeping = 0;
  } else if (!beeping) {
    beep();
    beeping = setInterval(beep, 1200);
  }
}

function beep() {
  try {
    context ??= new AudioContext();
    const tone = context.createOscillator();
    const loudness = context.createGain();
    tone.frequency.value = 880;
    loudness.gain.value = 0.12;
    tone.connect(loudness).connect(context.destination);
    tone.start();
    tone.stop(context.currentTime + 0.35);
  } catch {
    // A browser without sound still shows the alarm.
  }
}

export function speak(text, lang) {
  if (!window.speechSynthesis) return;
  speechSynthesis.cancel();
  const said = new SpeechSynthesisUtterance(text);
  said.lang = { ja: "ja-JP", en: "en-US", zh: "zh-CN", ko: "ko-KR", vi: "vi-VN", pt: "pt-BR" }[lang] ?? lang;
  speechSynthesis.speak(said);
}

export function hush() {
  window.speechSynthesis?.cancel();
}
