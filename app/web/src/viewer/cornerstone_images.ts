import { cache, Enums, imageLoader, metaData, type Types } from "@cornerstonejs/core";
import { range, type Frame } from "./frame";
import { pyramid, type Level } from "./pyramid";

const SCHEME = "unirg";

interface Offered {
  level: Level;
  /** Frame pixels that one pixel of the level covers, across and down. */
  covers: number;
  aspect: number;
  window: Frame["window"];
}

/** What cornerstone may ask for, by image id. The ids are numbers of this page, so that no study is named in them. */
const offered = new Map<string, Offered>();
let count = 0;

/** Makes cornerstone take images from here: they are in memory already, nothing is fetched. */
export function registerImages(): void {
  imageLoader.registerImageLoader(SCHEME, (imageId) => ({ promise: Promise.resolve(imageOf(imageId)) }));
  metaData.addProvider((module: string, imageId: string) => describe(module, imageId));
}

/** Image ids of the frame's levels, full size first. World coordinates are columns, and rows in units of a column. */
export function offer(frame: Frame): string[] {
  return pyramid(frame).map((level, power) => {
    count += 1;
    const imageId = `${SCHEME}:${count}`;
    offered.set(imageId, { level, covers: 2 ** power, aspect: frame.aspect, window: frame.window });
    return imageId;
  });
}

export function withdraw(imageIds: readonly string[]): void {
  for (const imageId of imageIds) {
    offered.delete(imageId);
    if (cache.getImageLoadObject(imageId) !== undefined) cache.removeImageLoadObject(imageId, { force: true });
  }
}

function imageOf(imageId: string): Types.IImage {
  const held = offered.get(imageId);
  if (held === undefined) throw new Error("The image is not there any more.");
  const { level: { rows, columns, values }, covers, aspect, window } = held;
  const [lowest, highest] = range(values);
  const image = {
    imageId,
    rows,
    columns,
    height: rows,
    width: columns,
    minPixelValue: lowest,
    maxPixelValue: highest,
    slope: 1,
    intercept: 0,
    windowCenter: window.center,
    windowWidth: window.width,
    voiLUTFunction: Enums.VOILUTFunctionType.LINEAR,
    color: false,
    rgba: false,
    numberOfComponents: 1,
    columnPixelSpacing: covers,
    rowPixelSpacing: covers * aspect,
    invert: false,
    photometricInterpretation: "MONOCHROME2",
    sizeInBytes: values.byteLength,
    dataType: "Uint16Array" as const,
    imageFrame: {},
    getPixelData: () => values,
    getCanvas: () => { throw new Error("A grey image has no canvas."); },
  };
  return image as unknown as Types.IImage;
}

function describe(module: string, imageId: string): object | undefined {
  const held = offered.get(imageId);
  return held === undefined ? undefined : MODULES[module]?.(held);
}

const MODULES: Readonly<Record<string, (held: Offered) => object>> = {
  [Enums.MetadataModules.IMAGE_PIXEL]: () => PIXELS,
  [Enums.MetadataModules.GENERAL_SERIES]: () => ({ modality: "DX" }),
  [Enums.MetadataModules.IMAGE_PLANE]: planeOf,
};

function planeOf({ level, covers, aspect }: Offered): object {
  // the middle of a level's first pixel is the middle of the frame pixels that it covers
  const first = (covers - 1) / 2;
  return {
    rows: level.rows,
    columns: level.columns,
    rowPixelSpacing: covers * aspect,
    columnPixelSpacing: covers,
    imagePositionPatient: [first, first * aspect, 0],
    imageOrientationPatient: [1, 0, 0, 0, 1, 0],
    rowCosines: [1, 0, 0],
    columnCosines: [0, 1, 0],
  };
}

const PIXELS = {
  bitsAllocated: 16,
  bitsStored: 16,
  highBit: 15,
  pixelRepresentation: 0,
  samplesPerPixel: 1,
  photometricInterpretation: "MONOCHROME2",
};
