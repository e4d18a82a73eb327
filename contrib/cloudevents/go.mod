// A module of its own, so that the SDK is no dependency of the product.
module github.com/bitville-apm/spoolfwd/contrib/cloudevents

go 1.26.0

require (
	github.com/bitville-apm/spoolfwd v0.0.0
	github.com/cloudevents/sdk-go/v2 v2.16.2
)

require (
	github.com/json-iterator/go v1.1.12 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/modern-go/concurrent v0.0.0-20180306012644-bacd9c7ef1dd // indirect
	github.com/modern-go/reflect2 v1.0.2 // indirect
	github.com/natefinch/atomic v1.0.1 // indirect
	go.uber.org/multierr v1.11.0 // indirect
	go.uber.org/zap v1.27.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/bitville-apm/spoolfwd => ../..
