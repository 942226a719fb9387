package main

import (
	"expvar"
	"log/slog"
	"net"
	"net/http"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/glassheapprom"
	"github.com/glassheap/glassheap/glassheapexpvar"
	"github.com/glassheap/glassheap/glassheaphttp"
	"github.com/glassheap/glassheap/glassheapslog"
	"github.com/glassheap/glassheap/recorder"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	crashes, err := recorder.Start(recorder.Options{}) // a post-mortem, whatever the program dies of
	if err != nil {
		log.Warn("there will be no post-mortem", "error", err)
	} else {
		defer crashes.Stop()
	}
	h, err := allocator.New(allocator.Options{ // the mode is sealed: every free is verified
		Name:        "sessions",
		LimitBytes:  1 << 30,
		ProfileRate: 1000,                           // who allocated what is live, of one block in a thousand
		Armable:     true,                           // glassheap arm PID audit, when something was found
		OnViolation: glassheapslog.OnViolation(log), // one record; then the program goes on, and the block is never used again
	})
	if err != nil {
		log.Error("there is no heap", "error", err)
		os.Exit(1)
	}
	debug, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("DEBUG_PORT")) // for whom /debug/pprof is for
	if err != nil {
		log.Error("nobody can watch", "error", err)
		os.Exit(1)
	}
	prometheus.MustRegister(glassheapprom.New()) // every heap of the program
	if err := glassheapexpvar.Publish(); err != nil {
		log.Warn("the heaps are not in /debug/vars", "error", err)
	}
	watch := http.NewServeMux()
	watch.Handle("/metrics", promhttp.Handler())
	watch.Handle("/debug/vars", expvar.Handler())
	watch.Handle("/debug/glassheap/", http.StripPrefix("/debug/glassheap", glassheaphttp.Handler()))
	go http.Serve(debug, watch)
	log.Info("the heaps can be watched", "address", debug.Addr().String())

	work(h)
}
