/* A narrow bridge to libvpx (VP8) and libopus: opaque handles and plain
 * numbers, so that no structure of theirs has to be described in Rust. */

#include <opus/opus.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <vpx/vp8cx.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>
#include <vpx/vpx_encoder.h>

/* ---- VP8 encoder ---- */

void *liandong_vp8_encoder_open(unsigned width, unsigned height, unsigned fps, unsigned kbps) {
  vpx_codec_enc_cfg_t config;
  if (vpx_codec_enc_config_default(vpx_codec_vp8_cx(), &config, 0) != VPX_CODEC_OK) return NULL;
  config.g_w = width;
  config.g_h = height;
  config.g_timebase.num = 1;
  config.g_timebase.den = (int)fps;
  config.g_threads = 1;
  config.g_lag_in_frames = 0;
  /* Nothing but pictures passes from frame to frame: the upper temporal layer can be dropped. */
  config.g_error_resilient = VPX_ERROR_RESILIENT_DEFAULT;
  config.rc_target_bitrate = kbps;
  config.rc_end_usage = VPX_VBR;
  config.rc_dropframe_thresh = 0;
  config.rc_min_quantizer = 4;
  config.rc_max_quantizer = 40;
  /* The caller says where keyframes are. */
  config.kf_mode = VPX_KF_DISABLED;

  vpx_codec_ctx_t *codec = calloc(1, sizeof *codec);
  if (codec == NULL) return NULL;
  if (vpx_codec_enc_init(codec, vpx_codec_vp8_cx(), &config, 0) != VPX_CODEC_OK) {
    free(codec);
    return NULL;
  }
  /* Speed matters more than the last bit of a plain picture. */
  vpx_codec_control(codec, VP8E_SET_CPUUSED, 8);
  return codec;
}

/* `kind`: 0 a frame that later ones build on, 1 a keyframe, 2 one that nothing
 * builds on. `i420` is width * height * 3 / 2 bytes. Gives the frame, valid until the
 * next call, or 0 and no frame; a negative number is an error of libvpx. */
int liandong_vp8_encode(void *encoder, uint8_t *i420, unsigned width, unsigned height, int64_t pts,
                        int kind, const uint8_t **data, size_t *length) {
  vpx_codec_ctx_t *codec = encoder;
  vpx_image_t image;
  *data = NULL;
  *length = 0;
  if (vpx_img_wrap(&image, VPX_IMG_FMT_I420, width, height, 1, i420) == NULL) return -1;
  /* Every frame builds on the last one that others may build on, and on no other. */
  const vpx_enc_frame_flags_t last_only = VP8_EFLAG_NO_REF_GF | VP8_EFLAG_NO_REF_ARF |
                                          VP8_EFLAG_NO_UPD_GF | VP8_EFLAG_NO_UPD_ARF;
  vpx_enc_frame_flags_t flags = last_only;
  if (kind == 1) flags = VPX_EFLAG_FORCE_KF;
  if (kind == 2) flags = last_only | VP8_EFLAG_NO_UPD_LAST | VP8_EFLAG_NO_UPD_ENTROPY;
  if (vpx_codec_encode(codec, &image, pts, 1, flags, VPX_DL_REALTIME) != VPX_CODEC_OK) return -2;
  vpx_codec_iter_t iterator = NULL;
  const vpx_codec_cx_pkt_t *packet;
  while ((packet = vpx_codec_get_cx_data(codec, &iterator)) != NULL) {
    if (packet->kind == VPX_CODEC_CX_FRAME_PKT) {
      *data = packet->data.frame.buf;
      *length = packet->data.frame.sz;
    }
  }
  return 0;
}

void liandong_vp8_encoder_close(void *encoder) {
  if (encoder == NULL) return;
  vpx_codec_destroy(encoder);
  free(encoder);
}

/* ---- VP8 decoder ---- */

void *liandong_vp8_decoder_open(void) {
  vpx_codec_ctx_t *codec = calloc(1, sizeof *codec);
  if (codec == NULL) return NULL;
  if (vpx_codec_dec_init(codec, vpx_codec_vp8_dx(), NULL, 0) != VPX_CODEC_OK) {
    free(codec);
    return NULL;
  }
  return codec;
}

/* Copies the picture as I420 into `i420` if its `capacity` suffices. Returns 0
 * with the size, or a negative number: not decodable, no picture, too large. */
int liandong_vp8_decode(void *decoder, const uint8_t *data, unsigned length, uint8_t *i420,
                        size_t capacity, unsigned *width, unsigned *height) {
  vpx_codec_ctx_t *codec = decoder;
  if (vpx_codec_decode(codec, data, length, NULL, 0) != VPX_CODEC_OK) return -1;
  vpx_codec_iter_t iterator = NULL;
  vpx_image_t *image = vpx_codec_get_frame(codec, &iterator);
  if (image == NULL || image->fmt != VPX_IMG_FMT_I420) return -2;
  size_t w = image->d_w, h = image->d_h;
  size_t half_w = (w + 1) / 2, half_h = (h + 1) / 2;
  if (w * h + 2 * half_w * half_h > capacity) return -3;
  uint8_t *out = i420;
  for (int plane = 0; plane < 3; plane++) {
    size_t columns = plane == 0 ? w : half_w;
    size_t rows = plane == 0 ? h : half_h;
    const uint8_t *row = image->planes[plane];
    for (size_t y = 0; y < rows; y++, row += image->stride[plane]) {
      for (size_t x = 0; x < columns; x++) *out++ = row[x];
    }
  }
  *width = (unsigned)w;
  *height = (unsigned)h;
  return 0;
}

void liandong_vp8_decoder_close(void *decoder) {
  if (decoder == NULL) return;
  vpx_codec_destroy(decoder);
  free(decoder);
}

/* ---- Opus, 48 kHz mono ---- */

void *liandong_opus_encoder_open(int bits_per_second) {
  int error = OPUS_OK;
  OpusEncoder *encoder = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, &error);
  if (error != OPUS_OK) return NULL;
  opus_encoder_ctl(encoder, OPUS_SET_BITRATE(bits_per_second));
  opus_encoder_ctl(encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
  opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(1));
  opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(10));
  opus_encoder_ctl(encoder, OPUS_SET_DTX(1));
  opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(4));
  return encoder;
}

/* The length of the packet, or an error of libopus (negative). */
int liandong_opus_encode(void *encoder, const int16_t *samples, int count, uint8_t *out,
                         int capacity) {
  return opus_encode(encoder, samples, count, out, capacity);
}

void liandong_opus_encoder_close(void *encoder) {
  if (encoder != NULL) opus_encoder_destroy(encoder);
}

void *liandong_opus_decoder_open(void) {
  int error = OPUS_OK;
  OpusDecoder *decoder = opus_decoder_create(48000, 1, &error);
  return error == OPUS_OK ? decoder : NULL;
}

/* The number of samples, or an error of libopus (negative). */
int liandong_opus_decode(void *decoder, const uint8_t *data, int length, int16_t *samples,
                         int capacity) {
  return opus_decode(decoder, data, length, samples, capacity, 0);
}

void liandong_opus_decoder_close(void *decoder) {
  if (decoder != NULL) opus_decoder_destroy(decoder);
}
