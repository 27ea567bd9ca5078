/** Numbers with their shape; the kind of array follows the dtype. */
export type Values = (Float32Array | Int32Array | Uint32Array | Uint8Array) & { readonly shape: number[] };
export type Numbers =
  | Float32Array | Int32Array | Uint32Array | Int16Array | Uint16Array | Int8Array | Uint8Array | Uint8ClampedArray
  | number[] | NestedNumbers;
export interface NestedNumbers extends ReadonlyArray<number | boolean | Numbers> {}
export type Picture =
  | ImageData | ImageBitmap | HTMLImageElement | HTMLCanvasElement | OffscreenCanvas | HTMLVideoElement | VideoFrame;
export type Input = Numbers | Picture | Picture[];
/** Of several outputs an array, or an object by name. */
export type Targets = Numbers | Numbers[] | Record<string, Numbers>;
export type Device = "webgpu" | "wasm";

export interface PredictOptions {
  /** Cuts many rows into batches of this size, which must be one that was exported. */
  batchSize?: number;
  /** What pixels from 0 to 255 are multiplied by (default 1), and what is added then (default 0). */
  scale?: number;
  offset?: number;
}

export type Logs = Record<string, number | number[]>;
export interface FitOptions extends PredictOptions {
  epochs?: number;
  shuffle?: boolean;
  /** Of the order of rows. */
  seed?: number;
  validationData?: [x: Input | Input[] | Record<string, Input>, y: Targets, sampleWeight?: Numbers];
  /** A number for each row; only of models exported with sample_weight=True. */
  sampleWeight?: Numbers;
  /** Logs are read from the device only where somebody asks; false ends training. */
  onBatchEnd?(batch: number, logs: Logs): unknown;
  onEpochEnd?(epoch: number, logs: Logs): unknown;
}

export declare class Model {
  readonly name: string;
  readonly device: Device;
  /** How many work on "wasm": more than one only where the page is cross-origin isolated. */
  readonly threads: number;
  readonly inputs: { name: string; shapes: number[][] }[];
  readonly batchSizes: number[];
  predict(x: Input | Input[] | Record<string, Input>, options?: PredictOptions): Promise<Values & Values[] & Record<string, Values>>;
  fit(x: Input | Input[] | Record<string, Input>, y: Targets, options?: FitOptions): Promise<Record<string, (number | number[])[]>>;
  evaluate(x: Input | Input[] | Record<string, Input>, y: Targets, options?: PredictOptions & { sampleWeight?: Numbers }): Promise<Logs>;
  /** "indexeddb://NAME" keeps everything, "NAME.npz" downloads the weights for Python's model.load_weights. */
  save(where: string): Promise<void>;
  load(from: string | Record<string, Uint8Array>): Promise<void>;
  state(): Promise<Record<string, Uint8Array>>;
  npz(): Promise<Uint8Array>;
  close(): void;
}

export interface LoadOptions {
  /** A GPU where there is one, else WebAssembly. */
  device?: Device;
  /** What `save` kept, "indexeddb://NAME", or `state()` gave, in place of the weights in the folder. */
  weights?: string | Record<string, Uint8Array>;
  /** At most so many, on "wasm" in a page that is cross-origin isolated; by default as many as there are cores, up to 8. */
  threads?: number;
}

/** Loads the model; `from` is its folder, by default that of this file. */
export declare function load(options?: LoadOptions): Promise<Model>;
export declare function load(from: string | URL, options?: LoadOptions): Promise<Model>;
