// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are a registry of our own with closed label sets: routes are patterns, never addresses.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	logouts  *prometheus.CounterVec
}

func newMetrics(trips func() uint64, ready func() bool) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lychgate_requests_total", Help: "Requests by route and status.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "lychgate_request_seconds", Help: "Time to answer by route.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2},
		}, []string{"route"}),
	}
	m.logouts = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "lychgate_logout_tokens_total", Help: "Logout tokens sent to apps by what came of it.",
	}, []string{"result"})
	m.registry.MustRegister(m.requests, m.seconds, m.logouts, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "lychgate_store_round_trips_total", Help: "Round trips to the store made for requests.",
		}, func() float64 { return float64(trips()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "lychgate_ready", Help: "1 if requests can be served.",
		}, func() float64 {
			if ready() {
				return 1
			}
			return 0
		}))
	return m
}

func (m *metrics) observe(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

// told counts a logout token: taken, refused by the app, or not answered.
func (m *metrics) told(status int, err error) {
	result := "refused"
	switch {
	case err != nil:
		result = "away"
	case status == http.StatusOK || status == http.StatusNoContent:
		result = "taken"
	}
	m.logouts.WithLabelValues(result).Inc()
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
