// Sound as it comes, from a microphone or a file: every sample once and in order, until somebody is too slow.

import { ask, explained, release } from "./media.js";

const TAP = `registerProcessor("tap", class extends AudioWorkletProcessor {
  constructor() { super(); this.some = new Float32Array(1024); this.length = 0; }
  process([[channel]]) {
    if (!channel) return true;
    this.some.set(channel, this.length);
    this.length += channel.length;
    if (this.length === this.some.length) { this.port.postMessage(this.some); this.length = 0; }
    return true;
  }
});`;

async function contextAt(sampleRate) {
  const context = new AudioContext(sampleRate ? { sampleRate } : {});
  const url = URL.createObjectURL(new Blob([TAP], { type: "text/javascript" }));
  try {
    await context.audioWorklet.addModule(url);
  } catch (error) {
    close(context); // browsers give a page few of them
    throw error;
  } finally {
    URL.revokeObjectURL(url);
  }
  return context;
}

function close(context) {
  if (context && context.state !== "closed") context.close(); // to close one twice is a failure
}

function tap(context, hear) {
  const node = new AudioWorkletNode(context, "tap", { channelCount: 1, channelCountMode: "explicit", numberOfOutputs: 0 });
  node.port.onmessage = ({ data }) => hear(data);
  return node;
}

/**
 * Hears the microphone. `hear(samples)` gets 1024 of them at a time, as the microphone gives them: no noise is removed
 * and no loudness evened out. `lost(sentence)` is called when it is unplugged. Resolves to { sampleRate, stop() }; rejects
 * with an Error that says what to do.
 */
export async function openMicrophone(hear, { sampleRate, lost } = {}) {
  let stream, context;
  const stop = () => {
    release(stream);
    close(context);
  };
  try {
    stream = await ask({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } }, "microphone", lost);
    context = await contextAt(sampleRate);
    context.createMediaStreamSource(stream).connect(tap(context, hear));
  } catch (error) {
    stop();
    throw new Error(`${explained("microphone", error)} Or open a sound file.`);
  }
  return { sampleRate: context.sampleRate, stop };
}

/** Plays an AudioBuffer and hears it. `ended()` is called after its last sample. Resolves to { sampleRate, stop() }. */
export async function playSound(buffer, hear, ended = () => {}) {
  const context = await contextAt(buffer.sampleRate), stop = () => close(context);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(context.destination);
  source.connect(tap(context, hear));
  source.onended = () => { setTimeout(() => { stop(); ended(); }, 200); }; // the last samples are still on their way
  source.start();
  return { sampleRate: context.sampleRate, stop };
}

/** A sound file as an AudioBuffer at a sample rate. */
export async function readSound(file, sampleRate) {
  try {
    return await new OfflineAudioContext(1, 1, sampleRate).decodeAudioData(await file.arrayBuffer());
  } catch {
    throw new Error(`${file.name || "This file"} is not a sound that this browser reads; try WAV or MP3.`);
  }
}

/** The mean of the channels of an AudioBuffer. */
export function mono(buffer) {
  const sum = new Float32Array(buffer.length);
  for (let i = 0; i < buffer.numberOfChannels; i++) buffer.getChannelData(i).forEach((value, at) => { sum[at] += value / buffer.numberOfChannels; });
  return sum;
}

/** Keeps samples until they are taken, `most` of them; the oldest are dropped. */
export class Samples {
  constructor(most) { Object.assign(this, { most, parts: [], length: 0, dropped: 0 }); }
  put(some) {
    this.parts.push(some);
    this.length += some.length;
    while (this.length - this.parts[0].length >= this.most) {
      const { length } = this.parts.shift();
      this.length -= length;
      this.dropped += length;
    }
  }
  take() {
    const all = new Float32Array(this.length);
    let at = 0;
    for (const part of this.parts) { all.set(part, at); at += part.length; }
    Object.assign(this, { parts: [], length: 0 });
    return all;
  }
}
